"""Whether a file has changed: its size, its time and, where these say so, its content."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fingerprint:
    """A file's content at one moment.

    Attributes:
        size: In bytes.
        mtime_ns: When it was changed last.
        sha256: Of the content, which alone decides: many programs touch files that they do not
            change.
    """

    size: int
    mtime_ns: int
    sha256: str


def take_fingerprint(path: str) -> Fingerprint | None:
    """Read a file's fingerprint; None for a folder, a pipe, or what cannot be read.

    Example:
        >>> take_fingerprint("missing.jpg")
    """
    try:
        found = os.stat(path)  # noqa: PTH116
        if not stat.S_ISREG(found.st_mode):  # opening a pipe would wait for its writer
            return None
        with Path(path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return None
    return Fingerprint(found.st_size, found.st_mtime_ns, digest)


def is_same_moment(path: str, known: Fingerprint) -> bool:
    """Tell whether a file has the size and time of a fingerprint, or is gone: it is not read."""
    try:
        found = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return True
    return (found.st_size, found.st_mtime_ns) == (known.size, known.mtime_ns)
