"""A library that is filled while files are captioned."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from captioner.fingerprint import Fingerprint, is_same_moment, take_fingerprint
from captioner.library.collection import Library
from captioner.media.standard_input import PATH
from captioner.reports.destination import Results, confident, find_error


class KeptCaptions:
    """Stores captions in a library; files with known content are not described again.

    Args:
        library: Open library.
        model: Name of the model that describes the files.
        folders: Folders that the run searches; their missing files are marked at the end.
        overwrite: If True, known files are described again.
        changes_files: True if this run itself changes files, as embedding does.
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
            return True  # its reader reports the problem
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
        """Mark missing files; see `Destination`."""
        self._counts["removed"] = self._library.mark_removed(self._folders)

    def summary(self) -> Iterator[str]:
        """See `Destination`."""
        lines = {
            "known": "Skipped (already in the library)",
            "moved": "Moved, with their captions",
            "copied": "Copies of described files",
            "changed": "Described again in the library (changed)",
            "removed": "Marked as missing in the library",
        }
        for name, line in lines.items():
            if self._counts[name]:
                yield f"{line}: {self._counts[name]}"
