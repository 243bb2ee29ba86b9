"""The array of a feature store on disk, with all its room taken before the first row."""

import os
import shutil
from pathlib import Path

import numpy as np

from captioner.errors import CaptionerError


def create_array(path: Path, shape: tuple[int, ...]) -> np.memmap:
    """Create an array of float16 zeros whose blocks are all on the disk.

    A file that only promises its size is filled as it is written to, and where the disk is full,
    writing to memory that stands for it ends the process without a word (SIGBUS).

    Args:
        path: Of the .npy file.
        shape: Of the array.

    Returns:
        The array, to be read and written.

    Raises:
        CaptionerError: If there is no room for it, or the file cannot be written.

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
            "make room, or choose another folder"
        ) from error
    return array


def take_room(path: Path) -> None:
    """Have the disk hold room for all of a file; where it cannot, nothing happens.

    Raises:
        OSError: If there is no room.
    """
    if not hasattr(os, "posix_fallocate"):  # macOS and Windows
        return
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def reopen_array(path: Path) -> np.memmap:
    """Open the array of an unfinished store to go on with it.

    Raises:
        CaptionerError: If it is missing or damaged, or there is no room for the rest of it.
    """
    try:
        take_room(path)
        array: np.memmap = np.load(path, mmap_mode="r+")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CaptionerError(
            f"cannot go on with {path} ({reason}): make room, or delete its folder and begin anew"
        ) from error
    return array


def _no_room(path: Path, size: int, free: int) -> CaptionerError:
    return CaptionerError(
        f"{path} needs {size / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free: make room, or "
        "choose another folder"
    )
