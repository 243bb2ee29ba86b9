"""How a command ends: when it is asked to, and when something is wrong that its user can fix."""

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
    """Make SIGTERM end the process by SystemExit, so that `with` blocks delete what is half made.

    By default it ends at once, and leaves partial files. The exit code is the shell's, 143.
    """
    if threading.current_thread() is not threading.main_thread():  # which alone may set handlers
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


# What the disk or its permissions refuse, wherever it happens.
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
    """Turn a CaptionerError into one line on stderr and exit code 1, and end well by SIGTERM.

    What the disk refuses is such an error, too. Control characters, as names of files may have
    them, are escaped: a terminal obeys them.
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
            f"cannot write{where} ({error.strerror}): choose a folder that may be written to and "
            "that has room"
        ) from error


def _plain(text: str) -> click.ClickException:
    return click.ClickException(escape_controls(text, keep="\n"))
