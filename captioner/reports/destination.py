"""The interface of outputs besides the report, and captions embedded in image files."""

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
    """Receives the results of each file in turn: sidecars, a library, a gallery."""

    def wants(self, path: str) -> bool:
        """Return True if a file still needs captions; called before the file is read.

        Args:
            path: Path of a file, as the user gave it, or "-" for standard input.
        """

    def write(self, path: str, results: Results) -> None:
        """Store the results of a wanted file; a killed run leaves all of them or none.

        Args:
            path: The same as for `wants`.
            results: Caption of an image, or captions of a video's shots, and the error that
                explains why there are none, or no more.

        Raises:
            CaptionerError: If they cannot be written; the next file may still be tried.
        """

    def close(self) -> None:
        """Finish the output; not called after an exception."""

    def summary(self) -> Iterator[str]:
        """Yield lines that report skipped files."""


def find_error(results: Results) -> CaptionerError | None:
    """Return the first error among some results, or None.

    Example:
        >>> find_error([])
    """
    return next((result for result in results if isinstance(result, CaptionerError)), None)


def confident(results: Results) -> list["Caption"]:
    """Return the captions that are not withheld, in order.

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
        existing: Treatment of an existing description, as for `embed`; "keep" skips the image.
    """

    def __init__(self, existing: Existing = "keep") -> None:
        self._existing = existing
        self._skipped = 0
        self._left_out: Counter[str] = Counter()

    def wants(self, path: str) -> bool:
        """See `Destination`; files of other formats are skipped and counted."""
        if path == PATH:
            return False
        if not path.lower().endswith(_SUFFIXES):
            self._left_out[Path(path).suffix.lower() or "no suffix"] += 1
            return False
        try:
            described = is_described(Path(path))
        except CaptionerError:
            return True  # the image reader reports the problem in more detail
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
        """Do nothing; see `Destination`."""

    def summary(self) -> Iterator[str]:
        """See `Destination`."""
        if self._skipped:
            yield f"Skipped (already contain a description): {self._skipped}"
        if self._left_out:
            kinds = ", ".join(f"{kind} ({n})" for kind, n in self._left_out.most_common())
            yield (
                f"Not embedded: {kinds}; only JPEG, PNG and WebP files are supported: "
                "use --sidecar xmp for the others"
            )
