"""How a command ends when something is wrong that its user can mend."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import click

from captioner.commands.signals import sigterm_unwinds
from captioner.errors import CaptionerError
from captioner.reports.escapes import escape_controls

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
