"""The wording of captions: capitals, full stops, prefixes, suffixes, and gender."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from captioner.text.unspaced import is_unspaced

if TYPE_CHECKING:
    from captioner.results import Caption


# Female, male, neutral. None: the word is left out.
_WORDS = (
    ("woman", "man", "person"),
    ("women", "men", "people"),
    ("girl", "boy", "child"),
    ("girls", "boys", "children"),
    ("lady", "guy", "person"),
    ("ladies", "guys", "people"),
    ("lady", "gentleman", "person"),
    ("ladies", "gentlemen", "people"),
    ("mother", "father", "parent"),
    ("mom", "dad", "parent"),
    ("daughter", "son", "child"),
    ("sister", "brother", "sibling"),
    ("actress", "actor", "actor"),
    ("waitress", "waiter", "waiter"),
    ("she", "he", "they"),
    ("her", "his", "their"),
    ("her", "him", "them"),
    ("herself", "himself", "themselves"),
    ("female", "male", None),
    ("females", "males", "people"),
)
_NEITHER = {"actor", "waiter"}  # used for both
_FEMALE = frozenset(female for female, _, _ in _WORDS)
_MALE = frozenset(male for _, male, _ in _WORDS) - _NEITHER
_PRONOUNS = frozenset(("she", "her", "herself", "he", "his", "him", "himself"))
_NOUNS = (_FEMALE | _MALE) - _PRONOUNS
_COUNTERPARTS = {
    **{female: male for female, male, _ in reversed(_WORDS)},
    **{male: female for female, male, _ in _WORDS if male in _MALE},
}
_NEUTRAL = {
    **{female: neutral for female, _, neutral in reversed(_WORDS)},
    **{male: neutral for _, male, neutral in _WORDS if male in _MALE},
}
_PLURAL = {"is": "are", "has": "have", "was": "were", "s": "are"}  # after "they"
_VOWELS = tuple("aeiou")


def names_one_gender(words: Sequence[str]) -> bool:
    """Return whether words name people of exactly one gender.

    Nouns decide, or pronouns if there are no such nouns.

    Example:
        >>> [names_one_gender(s.split()) for s in ("a man", "a man and a girl", "her dog")]
        [True, False, True]
    """
    return _gender(words) is not None


def gender_of(words: Sequence[str]) -> str | None:
    """Return the only gender that words name; None if they name none or both.

    Example:
        >>> gender_of(["a", "woman"]), gender_of(["a", "dog"])
        ('female', None)
    """
    named = _gender(words)
    return None if named is None else "female" if named is _FEMALE else "male"


def other_gender(words: Sequence[str]) -> list[str]:
    """Replace words of one gender by those of the other, including pronouns.

    Args:
        words: Words that name one gender.

    Example:
        >>> " ".join(other_gender("a woman holds a phone in his hand".split()))
        'a man holds a phone in his hand'
    """
    gender = _gender(words) or frozenset()
    return [_COUNTERPARTS[word] if word in gender else word for word in words]


def _gender(words: Sequence[str]) -> frozenset[str] | None:
    """Return the words of the only gender that is named."""
    for kinds in (_NOUNS, _PRONOUNS):
        named = [gender for gender in (_FEMALE, _MALE) if gender & kinds & set(words)]
        if named:
            return named[0] if len(named) == 1 else None
    return None


def without_gender(words: Sequence[str]) -> list[str]:
    """Replace words of a gender by neutral words.

    Example:
        >>> " ".join(without_gender("a female actress says she is happy with her dog".split()))
        'an actor says they are happy with their dog'
    """
    found: list[str] = []
    after_they = is_new = False
    for place, word in enumerate(words):
        neutral = _NEUTRAL.get(word, word)
        if after_they:
            neutral = _PLURAL.get(word, neutral)
        after_they = word in ("he", "she")
        is_new = is_new or neutral != word
        if neutral is None:
            if place < len(words) - 1:
                continue
            neutral = "person"  # "a male", as a noun
        if is_new and found and found[-1] in ("a", "an"):
            found[-1] = "an" if neutral.startswith(_VOWELS) else "a"
        found.append(neutral)
        is_new = False
    return found


_ENDS = (".", "!", "?", "。", "！", "？")


@dataclass(frozen=True)
class Wording:
    """The wording of the text of each caption.

    Attributes:
        prefix: Words before the text, with a space or comma at their end; a missing space is
            added.
        suffix: Words after the text, likewise.
        case: "lower", as the model writes, or "sentence": with a capital letter and a full stop,
            as in alternative texts.

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
            text: Lower-case text without a full stop.
        """
        before = "" if not self.prefix or self.prefix[-1].isspace() else " "
        # Punctuation follows a word without a space.
        after = "" if not self.suffix or not self.suffix[0].isalnum() else " "
        text = f"{self.prefix}{before}{text}{after}{self.suffix}"
        if self.case == "sentence":
            start = len(text) - len(text.lstrip())
            text = text[:start] + text[start : start + 1].upper() + text[start + 1 :]
            text = text.rstrip() + _full_stop(text) if not text.rstrip().endswith(_ENDS) else text
        return text

    def apply(self, caption: "Caption") -> "Caption":
        """Return a caption with its text and that of its alternatives in this wording.

        Args:
            caption: Caption from a captioner; a withheld one remains unchanged.
        """
        if self == Wording() or caption.uncertain:
            return caption
        others = tuple(self.apply(each) for each in caption.alternatives)
        return replace(caption, text=self.write(caption.text), alternatives=others)


def _full_stop(text: str) -> str:
    """Return the full stop for a text: that of Chinese and Japanese, or a period."""
    last = text.rstrip()[-1:]
    return "。" if is_unspaced(last) and last >= "\u3005" else "."
