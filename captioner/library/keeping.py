"""A library that is filled while files are described."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from captioner.fingerprint import Fingerprint, is_same_moment, take_fingerprint
from captioner.library.collection import Library
from captioner.media.standard_input import PATH
from captioner.reports.destination import Results, confident, find_error


class KeptCaptions:
    """Puts captions into a library; files whose content it knows are not described again.

    Args:
        library: Open.
        model: Which describes.
        folders: What the run looks through; files of these that are gone are marked at the end.
        overwrite: Whether known files are described again.
        changes_files: Whether this run changes files itself, as embedding does.
    """

    def __init__(
        self,
        library: Library,
        model: str,
        folders: Sequence[str] = (),
        *,
        overwrite: bool = False,
        changes_files: bool = False,
    ) -> None:
        self._library = library
        self._model = model
        self._folders = folders
        self._overwrite = overwrite
        self._changes_files = changes_files
        self._coming: dict[str, Fingerprint] = {}
        self._counts: Counter[str] = Counter()

    def wants(self, path: str) -> bool:
        """See `Destination`."""
        if path == PATH:
            return False
        known = self._library.find(path)
        is_known = known is not None and Path(path).exists() and is_same_moment(path, known)
        if is_known and not self._overwrite:
            self._counts["known"] += 1
            return False
        content = take_fingerprint(path)
        if content is None:
            return True  # what is wrong with it, its reader says
        adopted = self._library.adopt(path, content)
        if adopted is not None and not self._overwrite:
            self._counts["known" if adopted == "touched" else adopted] += 1
            return False
        if known is not None and known.sha256 != content.sha256:
            self._counts["changed"] += 1
        self._coming[path] = content
        return True

    def write(self, path: str, results: Results) -> None:
        """See `Destination`."""
        content = self._coming.pop(path, None)
        if self._changes_files and content is not None:
            content = take_fingerprint(path)
        captions = confident(results)
        if content is not None and captions and find_error(results) is None:
            self._library.put(path, content, captions, self._model)

    def close(self) -> None:
        """See `Destination`: marks what is gone."""
        self._counts["removed"] = self._library.mark_removed(self._folders)

    def summary(self) -> Iterator[str]:
        """See `Destination`."""
        lines = {
            "known": "Skipped, since the library describes them",
            "moved": "Moved, with their captions",
            "copied": "Copies of described files",
            "changed": "Described anew in the library, since they have changed",
            "removed": "Gone, and marked in the library",
        }
        for name, line in lines.items():
            if self._counts[name]:
                yield f"{line}: {self._counts[name]}"
