"""Whether a file has changed: its size, its time and, where these say so, its content."""

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
        size: In bytes; of a folder, of all its frames.
        mtime_ns: When it was changed last; of a folder, when it or any of its frames was.
        sha256: Of the content, which alone decides: many programs touch files that they do not
            change. Of a folder, of the names of its frames and what each holds.
    """

    size: int
    mtime_ns: int
    sha256: str


def take_fingerprint(path: str) -> Fingerprint | None:
    """Read a file's fingerprint, or that of a folder of frames.

    Args:
        path: Of the file or folder.

    Returns:
        The fingerprint; None for any other folder, a pipe, or what cannot be read.

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
    """Tell whether a file has the size and time of a fingerprint, or is gone: it is not read."""
    try:
        if not os.path.exists(path):  # noqa: PTH110
            return True
        return _moment(path) == (known.size, known.mtime_ns)
    except (OSError, ValueError):
        return True


def _moment(path: str) -> tuple[int, int] | None:
    """Size and time; None for what is neither a file nor a folder of frames."""
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
