"""How a command ends when something is wrong that its user can mend."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from captioner.errors import CaptionerError
from captioner.reports.escapes import escape_controls


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turns a CaptionerError into one line on stderr and exit code 1.

    Control characters, as names of files may have them, are escaped: a terminal obeys them.
    """
    try:
        yield
    except CaptionerError as error:
        raise click.ClickException(escape_controls(str(error), keep="\n")) from error
