"""Images and videos on web servers, fetched within limits and only from public addresses."""

import http.client
import ipaddress
import re
import socket
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import Any
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from captioner import __version__
from captioner.errors import CaptionerError, unreadable

MOST_BYTES = 256 * 2**20
MOST_SECONDS = 60.0  # from the first name lookup to the last byte, including redirects
MOST_REDIRECTS = 5
_KINDS = ("image/", "video/", "application/octet-stream", "binary/octet-stream")
_REDIRECTS = {301, 302, 303, 307, 308}
_PORTS = {"http": 80, "https": 443}
# IPv6 prefix that leads to an IPv4 address: NAT64.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def fetch_file(
    url: str, path: Path, allow_private: bool = False, context: ssl.SSLContext | None = None
) -> None:
    """Fetch a file within limits of size, time, redirects and content types.

    A host name is resolved once per URL, and the connection goes to the checked IP address, so
    that a name that resolves differently a moment later (DNS rebinding) cannot bypass the check.

    Args:
        url: The http or https URL of the file.
        path: Path of the file to write.
        allow_private: If True, addresses of this machine and of local networks are allowed.
        context: SSL context for https; None uses the system's trusted certificates.

    Raises:
        CaptionerError: If it cannot be fetched.
    """
    end = monotonic() + MOST_SECONDS
    first = url
    try:
        for _ in range(MOST_REDIRECTS + 1):
            with closing(_connect(url, allow_private, context)) as connection:
                # A read timeout alone does not stop a server that sends a byte now and then.
                # The connection drops its socket once it has a response, so keep a reference here.
                timer = Timer(max(end - monotonic(), 0), _shut, [connection.sock])
                timer.daemon = True
                timer.start()
                try:
                    target = _request(connection, url, path)
                finally:
                    timer.cancel()
            if monotonic() > end:
                raise TimeoutError
            if target is None:
                return
            if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
                raise _RefusedError(f"it redirects to {target}, without encryption")
            url = target
        raise _RefusedError(f"more than {MOST_REDIRECTS} redirects")
    except _RefusedError as error:
        raise unreadable(first, str(error), error.fix) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        slow = monotonic() > end or isinstance(error, TimeoutError)
        reason = f"over the limit of {MOST_SECONDS:g} seconds" if slow else _reason(error)
        raise unreadable(first, reason, "check the address and the connection") from error


def _connect(
    url: str, allow_private: bool, context: ssl.SSLContext | None
) -> http.client.HTTPConnection:
    parts = _checked(url)
    host = str(parts.hostname)
    port = parts.port or _PORTS[parts.scheme]
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(place[4][0]) for place in found))
    if not allow_private:
        for address in addresses:
            if not _is_public(ipaddress.ip_address(address.partition("%")[0])):
                raise _RefusedError(
                    f"{host} is {'an' if address == host else address + ', an'} address of this "
                    "machine or a local network",
                    "allow such addresses with --fetch-private",
                )
    raw = _open_socket(addresses, port)
    try:
        if parts.scheme == "https":
            trusted = context or ssl.create_default_context()
            raw = trusted.wrap_socket(raw, server_hostname=host)
    except BaseException:
        raw.close()
        raise
    connection = http.client.HTTPConnection(host, port)
    connection.default_port = _PORTS[parts.scheme]  # the Host header omits the default port
    connection.sock = raw
    return connection


class _RefusedError(Exception):
    def __init__(self, reason: str, fix: str = "download it yourself, and name the file") -> None:
        super().__init__(reason)
        self.fix = fix


def _checked(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise _RefusedError(f"{url} is not an http or https URL")
    if parts.username is not None or parts.password is not None:
        raise _RefusedError("it contains a user name, which others could read")
    return parts


def _is_public(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(inner)
    return address.is_global and not address.is_multicast


def _open_socket(addresses: list[str], port: int) -> Any:
    last: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=MOST_SECONDS / 4)
        except OSError as error:
            last = error
    raise last or OSError("the host name has no address")


def _request(connection: http.client.HTTPConnection, url: str, path: Path) -> str | None:
    """Write a server's response to a file, or return the URL that it redirects to."""
    parts = urlsplit(url)
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    if parts.query:
        target += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    headers = {
        "User-Agent": f"captioner/{__version__}",
        "Accept": "image/*, video/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    connection.request("GET", target, headers=headers)
    with connection.getresponse() as response:  # which has taken the socket
        if response.status in _REDIRECTS and (location := response.getheader("Location")):
            return urljoin(url, location)
        if response.status != 200:
            raise _RefusedError(f"the server returned {response.status} {response.reason}".rstrip())
        kind = (
            response.headers.get_content_type()
            if "Content-Type" in response.headers
            else _KINDS[-1]
        )
        if not kind.startswith(_KINDS) or kind.startswith("image/svg"):
            raise _RefusedError(f"it is {kind}, not an image or a video")
        if response.getheader("Content-Encoding", "identity") != "identity":
            raise _RefusedError("it is compressed, which was not requested")
        if response.length is not None and response.length > MOST_BYTES:
            raise _RefusedError(
                f"{response.length >> 20} MiB, over the limit of {MOST_BYTES >> 20}"
            )
        expected, size = response.length, 0
        with path.open("wb") as file:
            while part := response.read1(2**16):
                size += len(part)
                if size > MOST_BYTES:
                    raise _RefusedError(f"more than {MOST_BYTES >> 20} MiB")
                file.write(part)
        if expected is not None and size < expected:
            raise _RefusedError(
                f"the connection broke off after {size} of {expected} bytes", "try again"
            )
    return None


def _shut(connected: socket.socket) -> None:
    with suppress(OSError):  # it is already closed
        connected.shutdown(socket.SHUT_RDWR)


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())


@dataclass(frozen=True)
class Remote:
    """A file on a web server.

    See `fetching.fetch_file` for the limits. Proxy settings in the environment are ignored.

    Args:
        url: The http or https URL of the file.
        allow_private: If True, addresses of this machine and of local networks are allowed.
        context: An `ssl.SSLContext` for https; None uses the system's trusted certificates.

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
        """Fetch the file into a temporary folder for the duration of a `with` block.

        Raises:
            CaptionerError: If it cannot be fetched within the limits.
        """
        with tempfile.TemporaryDirectory(prefix="captioner-") as folder:
            path = Path(folder) / f"file{_suffix(self.url)}"

            fetch_file(self.url, path, self.allow_private, self.context)
            yield path


def is_address(path: str) -> bool:
    """Return True if an argument is an http or https URL.

    Example:
        >>> is_address("https://example.org/dog.jpg"), is_address("https.jpg")
        (True, False)
    """
    return re.match(r"https?://", path, re.IGNORECASE) is not None


def renamed(error: CaptionerError, path: Path, url: str) -> CaptionerError:
    """Replace the path of a temporary file in an error by the URL of the file."""
    return CaptionerError(str(error).replace(str(path), url))


def _suffix(url: str) -> str:
    """Return the file suffix of a URL, which helps to recognize videos with unusual beginnings."""
    match = re.search(r"/[^/?#]*(\.[a-z0-9]{1,5})(?:[?#]|$)", url.lower())
    return match[1] if match else ""
