"""The files of a feature store: its array, and the record of its source files."""

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from captioner.errors import CaptionerError
from captioner.fingerprint import Fingerprint, is_same_moment, take_fingerprint
from captioner.replacing import replacing


def create_array(path: Path, shape: tuple[int, ...]) -> np.memmap:
    """Create an array file of float16 zeros with all its blocks allocated on the disk.

    The blocks of a sparse file are allocated only when it is written. If the disk is then full,
    writing to its memory map kills the process without a message (SIGBUS).

    Args:
        path: Path of the .npy file.
        shape: Shape of the array.

    Returns:
        A writable memory map of the array.

    Raises:
        CaptionerError: If there is no disk space for it, or the file cannot be written.

    Example:
        >>> import tempfile
        >>> create_array(Path(tempfile.mkdtemp(), "a.npy"), (2, 3)).sum()
        np.float16(0.0)
    """
    size = 2 * int(np.prod(shape, dtype=np.int64))
    try:
        free = shutil.disk_usage(path.parent).free
        if free < size:
            raise _no_room(path, size, free)
        array = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape)
        take_room(path)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise CaptionerError(
            f"cannot write {path}, which needs {size / 1e6:,.0f} MB ({error.strerror or error}): "
            "free disk space, or choose another folder"
        ) from error
    return array


def take_room(path: Path) -> None:
    """Allocate disk space for all of a file, if the system supports it.

    Raises:
        OSError: If there is not enough disk space.
    """
    if not hasattr(os, "posix_fallocate"):  # macOS and Windows
        return
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def reopen_array(path: Path, rows: int) -> np.memmap:
    """Open the array of a store to resume it.

    Args:
        path: Path of the .npy file.
        rows: Number of rows that it needs; if it has fewer, it grows atomically.

    Raises:
        CaptionerError: If it is missing or damaged, or there is no disk space for the rest of it.
    """
    try:
        take_room(path)
        array: np.memmap = np.load(path, mmap_mode="r+")
        if len(array) < rows:
            with replacing(path) as partial:
                grown = create_array(partial, (rows, *array.shape[1:]))
                grown[: len(array)] = array
                grown.flush()
            array = np.load(path, mmap_mode="r+")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CaptionerError(
            f"cannot resume {path} ({reason}): free disk space, or delete its folder to start again"
        ) from error
    return array


def _no_room(path: Path, size: int, free: int) -> CaptionerError:
    return CaptionerError(
        f"{path} needs {size / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free: free disk space, "
        "or choose another folder"
    )


RECORD = "files.jsonl"
_SHOWN = 3


class RecordedFiles:
    """The fingerprints of a store's source files, in a file with one line for each row.

    Stores of earlier versions have no fingerprints, or lack those of their first rows or of folders
    of frames. Rows without a fingerprint are not checked.

    Args:
        folder: Folder of the store.
        rows: Number of rows of the store; further lines, which a kill may leave, are ignored.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> image = folder / "a.jpg"
        >>> _ = image.write_bytes(b"one")
        >>> files = RecordedFiles(folder, 0)
        >>> files.resume()
        >>> files.add([str(image)])
        >>> _ = image.write_bytes(b"three")
        >>> RecordedFiles(folder, 1).check(["a.jpg"], [str(image)])
        Traceback (most recent call last):
        captioner.errors.CaptionerError: ...: 1 file has changed since this feature store was ...
    """

    def __init__(self, folder: Path, rows: int) -> None:
        self._path = folder / RECORD
        self._rows = rows

    def resume(self) -> None:
        """Cut or pad the lines to the number of rows."""
        lines = self._lines()[: self._rows]
        lines += ["null"] * (self._rows - len(lines))
        self._path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def add(self, paths: Iterable[str]) -> None:
        """Record the files of the next rows; call it before the index counts them."""
        with self._path.open("a", encoding="utf-8") as stream:
            for path in paths:
                known = take_fingerprint(path)
                stream.write(json.dumps(None if known is None else asdict(known)) + "\n")

    def check(self, names: Sequence[str], paths: Sequence[str]) -> None:
        """Check that the files of the rows have not changed.

        Args:
            names: Names of the rows, for the error.
            paths: Paths of their files; "" for a row that no longer has one.

        Raises:
            CaptionerError: If the content of a file has changed.
        """
        lines = self._lines()[: self._rows]
        try:
            changed = [
                name
                for line, name, path in zip(lines, names, paths, strict=False)
                if line != "null" and path and _has_changed(path, Fingerprint(**json.loads(line)))
            ]
        except (ValueError, TypeError) as error:
            raise CaptionerError(
                f"{self._path} is damaged ({error}): delete it to use the store unchecked, or "
                "delete its folder to make the store again"
            ) from error
        if changed:
            some = ", ".join(changed[:_SHOWN]) + (", ..." if len(changed) > _SHOWN else "")
            count = "1 file has" if len(changed) == 1 else f"{len(changed)} files have"
            raise CaptionerError(
                f"{self._path.parent}: {count} changed since this feature store was made ({some}): "
                "delete the folder to make it again, or choose another"
            )

    def _lines(self) -> list[str]:
        if not self._path.exists():
            return []
        return self._path.read_text(encoding="utf-8").split("\n")[:-1]


def _has_changed(path: str, known: Fingerprint) -> bool:
    if is_same_moment(path, known):
        return False
    now = take_fingerprint(path)
    return now is None or now.sha256 != known.sha256
