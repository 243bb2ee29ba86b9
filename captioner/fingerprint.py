"""Detection of changed files by size, time and, if these differ, content."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from captioner.media.files import frame_files, is_frame_folder


@dataclass(frozen=True)
class Fingerprint:
    """The content of a file, or of a folder of frames, at one moment.

    Attributes:
        size: Size in bytes; for a folder, the total of its frames.
        mtime_ns: Time of the last change; for a folder, the latest of the folder and its frames.
        sha256: Hash of the content, which alone decides: many programs touch files without
            changing them. For a folder, of the names and contents of its frames.
    """

    size: int
    mtime_ns: int
    sha256: str


def take_fingerprint(path: str) -> Fingerprint | None:
    """Compute the fingerprint of a file or of a folder of frames.

    Args:
        path: Path of the file or folder.

    Returns:
        The fingerprint; None for any other folder, for a pipe, and for unreadable files.

    Example:
        >>> take_fingerprint("missing.jpg")
    """
    try:
        moment = _moment(path)
        if moment is None:
            return None
        digest = _folder_digest(path) if os.path.isdir(path) else _digest(path)  # noqa: PTH112
    except (OSError, ValueError):
        return None
    return Fingerprint(*moment, digest)


def is_same_moment(path: str, known: Fingerprint) -> bool:
    """Return whether a file is gone, or has the size and time of a fingerprint."""
    try:
        if not os.path.exists(path):  # noqa: PTH110
            return True
        return _moment(path) == (known.size, known.mtime_ns)
    except (OSError, ValueError):
        return True


def _moment(path: str) -> tuple[int, int] | None:
    """Return size and time; None for anything but a file or a folder of frames."""
    found = os.stat(path)  # noqa: PTH116
    if stat.S_ISREG(found.st_mode):  # opening a pipe would wait for its writer
        return found.st_size, found.st_mtime_ns
    if not stat.S_ISDIR(found.st_mode) or not is_frame_folder(path):
        return None
    frames = [os.stat(frame) for frame in frame_files(path)]  # noqa: PTH116
    return sum(f.st_size for f in frames), max(f.st_mtime_ns for f in (found, *frames))


def _digest(path: str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _folder_digest(path: str) -> str:
    digest = hashlib.sha256()
    for frame in frame_files(path):
        name = os.fsencode(os.path.basename(frame))  # noqa: PTH119
        digest.update(name + b"\0" + _digest(frame).encode() + b"\n")
    return digest.hexdigest()
