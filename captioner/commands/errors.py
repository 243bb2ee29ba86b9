"""How a command ends when something is wrong that its user can mend."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from captioner.errors import CaptionerError


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turns a CaptionerError into one line on stderr and exit code 1."""
    try:
        yield
    except CaptionerError as error:
        raise click.ClickException(str(error)) from error
