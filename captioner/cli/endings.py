"""Orderly ends of commands: after SIGTERM, and after errors that the user can fix."""

import errno
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from captioner.errors import CaptionerError
from captioner.reports.text import escape_controls


@contextmanager
def sigterm_unwinds() -> Iterator[None]:
    """Turn SIGTERM into SystemExit, so that `with` blocks delete partial files.

    By default SIGTERM ends the process at once, and partial files remain. The exit code is 143,
    as in a shell.
    """
    if threading.current_thread() is not threading.main_thread():  # others may not set handlers
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


# Errors of the disk or of its permissions.
_OF_THE_DISK = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EIO,
}


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn a CaptionerError into one line on stderr and exit code 1; unwind after SIGTERM.

    Errors of the disk are treated in the same way. Control characters, which file names may
    contain, are escaped, because a terminal would obey them.
    """
    try:
        with sigterm_unwinds():
            yield
    except CaptionerError as error:
        raise _plain(str(error)) from error
    except OSError as error:
        if error.errno not in _OF_THE_DISK:
            raise
        where = f" {error.filename}" if error.filename else ""
        raise _plain(
            f"cannot write{where} ({error.strerror}): choose a folder that is writable and has "
            "enough space"
        ) from error


def _plain(text: str) -> click.ClickException:
    return click.ClickException(escape_controls(text, keep="\n"))
