"""Where captions of a file go besides the report, and what all such places have in common."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from captioner.errors import CaptionerError
from captioner.media.standard_input import PATH
from captioner.metadata.embedding import embed, is_described
from captioner.metadata.xmp import Existing

if TYPE_CHECKING:
    from captioner.results import Caption


Results = Sequence["Caption | CaptionerError"]


class Destination(Protocol):
    """Takes what was said about one file after another: sidecars, a library, a page."""

    def wants(self, path: str) -> bool:
        """Tell whether a file is still to be described; asked before the file is read.

        Args:
            path: Of a file, as the user has named it, or "-" for standard input.
        """

    def write(self, path: str, results: Results) -> None:
        """Take what was said about a file that was wanted; a kill leaves all of it or nothing.

        Args:
            path: As for `wants`.
            results: The caption of a picture, or those of a clip's shots, and the error that says
                why there are none, or no more.

        Raises:
            CaptionerError: It cannot be written; the next file may be tried all the same.
        """

    def close(self) -> None:
        """Complete what is written at the end; not called after an exception."""

    def summary(self) -> Iterator[str]:
        """Yield lines about what was skipped."""


def find_error(results: Results) -> CaptionerError | None:
    """Return the error among some results.

    Example:
        >>> find_error([])
    """
    return next((result for result in results if isinstance(result, CaptionerError)), None)


def confident(results: Results) -> list["Caption"]:
    """Return the captions that are not withheld, in their order.

    Example:
        >>> confident([CaptionerError("empty")])
        []
    """
    captions = (result for result in results if not isinstance(result, CaptionerError))
    return [caption for caption in captions if not caption.uncertain]


_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp")


class EmbeddedCaptions:
    """Writes the caption of each JPEG, PNG or WebP file into its own metadata; see `embed`.

    Args:
        existing: What becomes of a description that is there, as for `embed`; "keep" skips its
            picture.
    """

    def __init__(self, existing: Existing = "keep") -> None:
        self._existing = existing
        self._skipped = 0
        self._left_out: Counter[str] = Counter()

    def wants(self, path: str) -> bool:
        """See `Destination`; files of other formats are left out, and counted."""
        if path == PATH:
            return False
        if not path.lower().endswith(_SUFFIXES):
            self._left_out[Path(path).suffix.lower() or "no suffix"] += 1
            return False
        try:
            described = is_described(Path(path))
        except CaptionerError:
            return True  # what is wrong with a picture, its reader says better
        if self._existing != "keep" or not described:
            return True
        self._skipped += 1
        return False

    def write(self, path: str, results: Results) -> None:
        """See `Destination`."""
        captions = confident(results)
        if find_error(results) is None and captions:
            embed(Path(path), captions[0].text, self._existing)

    def close(self) -> None:
        """See `Destination`: there is nothing to add."""

    def summary(self) -> Iterator[str]:
        """See `Destination`."""
        if self._skipped:
            yield f"Skipped, since a description is in them: {self._skipped}"
        if self._left_out:
            kinds = ", ".join(f"{kind} ({n})" for kind, n in self._left_out.most_common())
            yield (
                f"Not embedded: {kinds}; JPEG, PNG and WebP files alone hold descriptions, "
                "--sidecar xmp serves the others"
            )
