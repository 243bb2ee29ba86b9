"""What stands before every request: who may ask, how much, and what browsers may do with answers.

A server on 127.0.0.1 can be reached by every page that a browser of this machine has open. A page
of another site may send requests to it, and read the answers once its own name leads to 127.0.0.1
(DNS rebinding). The header Host tells the second, Origin and Sec-Fetch-Site tell the first.
"""

import ipaddress
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_BYTES = 8 * 2**20  # of a body, unless its address has a limit of its own
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; media-src blob:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Guard:
    """Refuses requests of other sites and bodies that are too large or too slow.

    Args:
        app: Which gets the others.
        names: Names by which the server may be asked, beside localhost and addresses in numbers,
            which no other site can take as its own.
        most_bytes: Largest body by path.
        timeout: Seconds in which a body must be there.
    """

    def __init__(
        self,
        app: ASGIApp,
        names: Collection[str],
        most_bytes: Mapping[str, int],
        timeout: float,
    ) -> None:
        self._app = app
        self._names = {"localhost", *(name.lower() for name in names)}
        self._most_bytes = most_bytes
        self._timeout = timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI asks for it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        headers = Headers(scope=scope)
        most = self._most_bytes.get(scope["path"], _MOST_BYTES)
        refusal = self._refusal(scope, headers, most)
        if refusal is not None:
            status, error = refusal
            await JSONResponse({"error": error}, status)(scope, receive, send_with_headers)
            return
        await self._app(scope, _limited(receive, most, self._timeout), send_with_headers)

    def _refusal(self, scope: Scope, headers: Headers, most: int) -> tuple[int, str] | None:
        host = headers.get("host", "")
        name = _host_name(host)
        if not _is_address(name) and name not in self._names:
            return 421, f"this server is not called {name!r}: start it with --allow-host {name}"
        if not _is_own(scope, headers, host):
            return 403, "a page of another site may not ask this server"
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > most:
            return 413, _too_large(most)
        return None


def _is_own(scope: Scope, headers: Headers, host: str) -> bool:
    """Tell whether a request comes from our own page, or from a program that is no browser."""
    if scope["path"] == "/" and scope["method"] in ("GET", "HEAD"):
        return True  # a link on another site may lead here
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == host.lower()


def _host_name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _too_large(most: int) -> str:
    return f"more than {most / 1e6:.0f} MB at once: send fewer or smaller files"


def _limited(receive: Receive, most: int, timeout: float) -> Receive:
    """Return what receives a body up to a size and a time."""
    read = 0
    complete = False
    deadline = anyio.current_time() + timeout

    async def receive_limited() -> Message:
        nonlocal read, complete
        if complete:  # what comes now is that the client has gone
            return await receive()
        message: dict[str, Any] = {}
        with anyio.move_on_at(deadline):
            message = dict(await receive())
        if not message:
            raise HTTPException(408, f"the request took longer than {timeout:g} seconds to come")
        read += len(message.get("body", b""))
        if read > most:
            raise HTTPException(413, _too_large(most))
        complete = not message.get("more_body", False)
        return message

    return receive_limited
