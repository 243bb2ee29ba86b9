"""Files on disks and in object stores by one interface, fsspec's, with patience."""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from captioner.errors import CaptionerError
from captioner.replacing import replacing

_Result = TypeVar("_Result")

_ATTEMPTS = 5
_LONGEST_WAIT = 20.0  # seconds between two attempts
# What does not get better by waiting.
_FINAL = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
# botocore waits and repeats, too, when a store asks to be asked less often.
_OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {"config_kwargs": {"retries": {"max_attempts": _ATTEMPTS, "mode": "standard"}}},
}


def is_url(path: str) -> bool:
    r"""Tell whether a path names a place by its protocol, such as s3://bucket/dog.jpg.

    Example:
        >>> is_url("s3://bucket/dog.jpg"), is_url("photos/dog.jpg"), is_url("C:\\dog.jpg")
        (True, False, False)
    """
    return re.match(r"[a-z][a-z0-9+.-]+://", path, re.IGNORECASE) is not None


@cache
def _open_protocol(protocol: str) -> Any:
    try:
        import fsspec

        # Listings that are kept would hide what other processes write.
        return fsspec.filesystem(protocol, use_listings_cache=False, **_OPTIONS.get(protocol, {}))
    except (ImportError, ValueError) as error:
        raise CaptionerError(
            f"cannot use {protocol}:// ({error}): pip install 'captioner[ray]', and for stores "
            "other than S3 the fsspec package of the store, such as gcsfs"
        ) from error


def open_store(url: str) -> tuple[Any, str]:
    """Return the fsspec file system of a URL or local path, and the path in it.

    Credentials are those of the usual environment, such as AWS_ACCESS_KEY_ID, AWS_PROFILE,
    AWS_ENDPOINT_URL or GOOGLE_APPLICATION_CREDENTIALS.

    Raises:
        CaptionerError: No installed package knows the protocol.

    Example:
        >>> open_store("photos/dog.jpg")[1].endswith("photos/dog.jpg")
        True
    """
    protocol = url.partition("://")[0].lower() if is_url(url) else "file"
    system = _open_protocol(protocol)
    from fsspec.core import strip_protocol

    return system, strip_protocol(url if is_url(url) else f"file://{url}")


def patiently(action: Callable[[], _Result]) -> _Result:
    """Do something with a store, again after a while if it fails for a reason that may pass.

    Args:
        action: It may be done several times.

    Raises:
        OSError: That of the last attempt.

    Example:
        >>> patiently(lambda: "done")
        'done'
    """
    from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

    retrying = Retrying(
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.5, max=_LONGEST_WAIT),
        retry=retry_if_exception(_may_pass),
        reraise=True,
    )
    return retrying(action)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, OSError | TimeoutError) and not isinstance(error, _FINAL)


class Folder:
    """A folder on a disk or in an object store, whose files are written as a whole or not at all.

    Args:
        url: A local path or a URL; a local folder is made where it is missing.

    Raises:
        CaptionerError: If it cannot be made, or no package knows the protocol.

    Example:
        >>> import tempfile
        >>> folder = Folder(tempfile.mkdtemp())
        >>> folder.write("rows.jsonl", b"{}")
        >>> folder.names(), folder.read("rows.jsonl")
        (['rows.jsonl'], b'{}')
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._system, root = open_store(url)
        self._root = root.rstrip("/")
        self._local = None if is_url(url) else Path(os.path.abspath(url))  # noqa: PTH100

    def names(self, within: str = "") -> list[str]:
        """List the files of the folder, or of a folder in it, by their names, in order."""
        place = self._place(within) if within else self._root
        try:
            found = patiently(lambda: self._system.ls(place, detail=True))
        except FileNotFoundError:
            return []
        files = (entry["name"] for entry in found if entry["type"] == "file")
        names = (name.rstrip("/").rpartition("/")[2] for name in files)
        return sorted(name for name in names if name and not name.startswith("."))

    def has(self, name: str) -> bool:
        """Tell whether there is a file of this name."""
        return bool(patiently(lambda: self._system.exists(self._place(name))))

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            OSError: It cannot be read.
        """
        content: bytes = patiently(lambda: self._system.cat_file(self._place(name)))
        return content

    def write(self, name: str, content: bytes) -> None:
        """Write a file; another one of that name is replaced.

        Raises:
            CaptionerError: It cannot be written.
        """
        if self._local is not None:
            path = self._local / name
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise self._unwritable(error) from error
            with replacing(path) as partial:
                partial.write_bytes(content)
            return
        try:
            # An object appears with its last byte.
            patiently(lambda: self._system.pipe_file(self._place(name), content))
        except OSError as error:
            raise self._unwritable(error) from error

    def delete(self, name: str) -> None:
        """Delete a file, if it is there."""
        with suppress(FileNotFoundError):
            patiently(lambda: self._system.rm_file(self._place(name)))

    def _place(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _unwritable(self, error: OSError) -> CaptionerError:
        return CaptionerError(
            f"cannot write to {self.url} ({error}): check the address, its permissions and room"
        )
