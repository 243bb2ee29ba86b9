"""How captions are written: own words before and after, capitals and full stops."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from captioner.results import Caption

CASES = ("lower", "sentence")


@dataclass(frozen=True)
class Wording:
    """What is done to the text of each caption.

    Attributes:
        prefix: Words before it, with the blank or comma that shall follow them; a blank is put
            where there is none.
        suffix: Words after it, likewise.
        case: "lower", as the model writes, or "sentence": a capital at the beginning and a full
            stop at the end of all, as alternative texts have them.

    Example:
        >>> Wording(prefix="photo of", suffix=", 2024", case="sentence").write("a dog")
        'Photo of a dog, 2024.'
    """

    prefix: str = ""
    suffix: str = ""
    case: str = "lower"

    def write(self, text: str) -> str:
        """Return a text in this wording.

        Args:
            text: Lower-case, without a full stop.
        """
        before = "" if not self.prefix or self.prefix[-1].isspace() else " "
        # Marks stand at the word before them.
        after = "" if not self.suffix or not self.suffix[0].isalnum() else " "
        text = f"{self.prefix}{before}{text}{after}{self.suffix}"
        if self.case == "sentence":
            start = len(text) - len(text.lstrip())
            text = text[:start] + text[start : start + 1].upper() + text[start + 1 :]
            text = text if text.rstrip().endswith((".", "!", "?")) else f"{text.rstrip()}."
        return text

    def apply(self, caption: "Caption") -> "Caption":
        """Return a caption whose text, and that of its alternatives, is in this wording.

        Args:
            caption: As a captioner gives it; one that is withheld stays as it is.
        """
        if self == Wording() or caption.uncertain:
            return caption
        others = tuple(self.apply(each) for each in caption.alternatives)
        return replace(caption, text=self.write(caption.text), alternatives=others)
