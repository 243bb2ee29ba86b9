"""Images and videos on web servers, as sources beside those of the disk."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from captioner.errors import CaptionerError


@dataclass(frozen=True)
class Remote:
    """A file on a web server.

    See `fetching.fetch_file` for the limits. No proxy is used, whatever the environment names.

    Args:
        url: Its http or https address.
        allow_private: Whether addresses of this machine and of local networks may be fetched from.
        context: An `ssl.SSLContext` for https; None trusts what the system trusts.

    Example:
        >>> remote = Remote("http://127.0.0.1/dog.jpg")
        >>> with remote.fetched() as path:
        ...     pass
        Traceback (most recent call last):
        captioner.errors.CaptionerError: cannot read http://127.0.0.1/dog.jpg (127.0.0.1 is ...
    """

    url: str
    allow_private: bool = False
    context: Any = None

    @contextmanager
    def fetched(self) -> Iterator[Path]:
        """Give the file while it is needed, in a temporary folder.

        Raises:
            CaptionerError: If it cannot be fetched within the limits.
        """
        with tempfile.TemporaryDirectory(prefix="captioner-") as folder:
            path = Path(folder) / f"file{_suffix(self.url)}"
            from captioner.media.fetching import fetch_file  # which few need

            fetch_file(self.url, path, self.allow_private, self.context)
            yield path


def is_address(path: str) -> bool:
    """Tell whether an argument is an http or https address.

    Example:
        >>> is_address("https://example.org/dog.jpg"), is_address("https.jpg")
        (True, False)
    """
    return re.match(r"https?://", path, re.IGNORECASE) is not None


def renamed(error: CaptionerError, path: Path, url: str) -> CaptionerError:
    """Make an error about a temporary file one about the address that it came from."""
    return CaptionerError(str(error).replace(str(path), url))


def _suffix(url: str) -> str:
    """Return the suffix of a file's name, which only helps to tell videos that begin unusually."""
    match = re.search(r"/[^/?#]*(\.[a-z0-9]{1,5})(?:[?#]|$)", url.lower())
    return match[1] if match else ""
