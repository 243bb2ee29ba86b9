"""Captions within the files of pictures."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from captioner.errors import CaptionerError
from captioner.media.standard_input import PATH
from captioner.metadata.embedding import embed, is_described
from captioner.metadata.xmp import Existing
from captioner.reports.destination import Results, confident, find_error

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
