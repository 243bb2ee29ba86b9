"""A lock among processes, as a file that exists only while it is held."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def hold_lock(file: Path, timeout: float = -1) -> Iterator[None]:
    """Hold a lock for the duration of a `with` block; the system frees it if the process dies.

    Args:
        file: Path of the file, in an existing folder.
        timeout: Maximum number of seconds to wait for another process; -1 to wait without end.

    Raises:
        TimeoutError: If another process still holds it.
        OSError: If the folder is missing or not writable.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp(), ".lock")
        >>> with hold_lock(file):
        ...     file.exists()
        True
        >>> file.exists()
        False
    """
    from filelock import FileLock

    file.parent.stat()  # FileLock would create a missing folder
    lock = FileLock(file)
    lock.acquire(timeout=timeout)
    try:
        yield
    finally:
        if os.name == "posix":  # elsewhere FileLock deletes it
            # A process that waits for this file finds it deleted, and creates a new one.
            file.unlink(missing_ok=True)
        lock.release()
