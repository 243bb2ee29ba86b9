"""One process at a time for each report."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from captioner.errors import CaptionerError


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes from a report for the length of a `with` block.

    The operating system holds the lock and gives it back when the process ends in whatever way:
    a killed run leaves at most an empty file, and locks nobody out.

    Args:
        path: The report; a file of its own beside it is locked, since the report is replaced.

    Raises:
        CaptionerError: Another process has the report open.
        OSError: The folder cannot be written to.

    Example:
        >>> import tempfile
        >>> report = Path(tempfile.mkdtemp(), "captions.csv")
        >>> with locked(report), locked(report):
        ...     pass
        Traceback (most recent call last):
        captioner.errors.CaptionerError: ...captions.csv is being written by another process: ...
    """
    from filelock import FileLock, Timeout

    path.parent.stat()  # FileLock would make a folder that is missing
    file = path.with_name(f".{path.name}.lock")
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise CaptionerError(
            f"{path} is being written by another process: wait until it ends, or name another file"
        ) from error
    try:
        yield
    finally:
        if os.name == "posix":  # elsewhere FileLock deletes it
            # Whoever waits for this file finds it deleted once it is free, and makes a new one.
            file.unlink(missing_ok=True)
        lock.release()
