"""The page and its HTTP API, as an ASGI application; docs/how-to/serve.md has its addresses."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from captioner import __version__
from captioner.captioner import Captioner
from captioner.errors import CaptionerError
from captioner.web.admission import Admission
from captioner.web.describer import MOST_CAPTIONS, Describer, Wish
from captioner.web.downloads import PACKERS, Download, pack
from captioner.web.guard import Guard
from captioner.web.library_api import MOST_ROWS, ChangedError, LibraryAPI
from captioner.web.monitoring import CountRequests, metrics_of, start_monitoring
from captioner.web.uploads import MOST_FILES, receive_uploads

_MEDIA_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_IMAGES_AT_ONCE = 2
_DESCRIBE = "/api/describe"


@dataclass(frozen=True)
class Limits:
    """What the server takes on.

    Attributes:
        most_bytes: Of a request.
        most_pixels: Of an image, or of a frame.
        waiting: Requests that may wait.
        timeout: Seconds in which a request must come, and in which it must be answered.
        workers: Requests that are worked on at once.
    """

    most_bytes: int = 256 * 10**6
    most_pixels: int = 100 * 10**6
    waiting: int = 16
    timeout: float = 120.0
    workers: int = 2


@dataclass(frozen=True)
class Service:
    """What there is to serve.

    Attributes:
        captioner: It describes files.
        name: Of its preset.
        library: A library of captions, or None.
        names: Host names by which the server may be asked, beside localhost and IP addresses.
        options: Of `Captioner.describe`, for all requests.
        limits: What the server takes on.
    """

    captioner: Captioner
    name: str
    library: Path | None = None
    names: Collection[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)


def build_application(service: Service) -> Starlette:
    """Build the application of a service.

    Args:
        service: What it serves.

    Returns:
        An ASGI application, such as uvicorn runs.

    Raises:
        CaptionerError: The library cannot be opened.
    """
    return _Application(service).build()


class _Application:
    def __init__(self, service: Service) -> None:
        limits = service.limits
        self._service = service
        self._describer = Describer(
            service.captioner, service.options, limits.most_pixels, limits.timeout
        )
        self._library = None if service.library is None else LibraryAPI(service.library)
        self._admission = Admission(limits.workers, limits.waiting, limits.timeout)
        self._images = Admission(_IMAGES_AT_ONCE, MOST_ROWS, limits.timeout)
        folder = files("captioner.web") / "static"
        self._files = {entry.name: entry.read_bytes() for entry in folder.iterdir()}

    def build(self) -> Starlette:
        routes = [
            Route("/", partial(self._file, name="index.html")),
            Route("/static/{name}", self._file),
            Route("/health", self._health),
            Route("/ready", self._ready),
            Route("/metrics", self._metrics),
            Route("/api/settings", self._settings),
            Route(_DESCRIBE, self._describe, methods=["POST"]),
            Route("/api/download", self._download, methods=["POST"]),
        ]
        if self._library is not None:
            routes += [
                Route("/api/library", self._search),
                Route("/api/library/{number:int}", self._correct, methods=["PUT"]),
                Route("/api/library/{number:int}/image", self._image),
            ]
        self._monitoring = start_monitoring(self._admission, [route.path for route in routes])
        counting = (
            []
            if self._monitoring is None
            else [Middleware(CountRequests, monitoring=self._monitoring)]
        )
        limits = self._service.limits
        guard = Middleware(
            Guard,
            names=self._service.names,
            most_bytes={_DESCRIBE: limits.most_bytes},
            timeout=limits.timeout,
        )
        handlers: Any = {
            HTTPException: _refused,
            CaptionerError: _wrong,
            ClientDisconnect: _gone,
            Exception: _broken,
        }
        return Starlette(routes=routes, middleware=[*counting, guard], exception_handlers=handlers)

    async def _file(self, request: Request, name: str = "") -> Response:
        """Give a file of the page; the few that there are were read at the start."""
        name = name or request.path_params["name"]
        if name not in self._files:
            raise HTTPException(404, "there is nothing here")
        kind = _MEDIA_TYPES[Path(name).suffix]
        return Response(self._files[name], media_type=kind, headers={"Cache-Control": "no-cache"})

    async def _health(self, request: Request) -> Response:
        return JSONResponse(
            {
                "status": "ok",
                "version": __version__,
                "preset": self._service.name,
                "task": self._service.captioner.preset.task,
                "requests": self._admission.inside,
            }
        )

    async def _ready(self, request: Request) -> Response:
        """Tell whether another request would be let in; a balancer asks others meanwhile."""
        full = self._admission.is_full
        return JSONResponse({"status": "busy" if full else "ok"}, 503 if full else 200)

    async def _metrics(self, request: Request) -> Response:
        return metrics_of(self._monitoring)

    async def _settings(self, request: Request) -> Response:
        limits = self._service.limits
        return JSONResponse(
            {
                "preset": self._service.name,
                "task": self._service.captioner.preset.task,
                "library": self._library is not None,
                "most_bytes": limits.most_bytes,
                "most_pixels": limits.most_pixels,
                "most_files": MOST_FILES,
                "most_captions": MOST_CAPTIONS,
                "timeout": limits.timeout,
            }
        )

    async def _describe(self, request: Request) -> Response:
        async with self._admission.place(), receive_uploads(request) as (uploads, fields):
            wish = Wish.parse(fields)
            format_name = fields.get("format", "json")
            if format_name != "json" and format_name not in PACKERS:
                raise CaptionerError(
                    f"format={format_name!r}: choose one of json, {', '.join(PACKERS)}"
                )
            rows = await self._admission.run(partial(self._describer.describe, uploads, wish))
            if self._monitoring is not None:
                self._monitoring.count_files(rows)
            if format_name != "json":
                return _attachment(await run_sync(pack, rows, format_name))
        failed = all("error" in row for row in rows)
        return JSONResponse({"results": rows}, 422 if failed else 200)

    async def _download(self, request: Request) -> Response:
        fields = await _read_json(request)
        rows = fields.get("results")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise CaptionerError('"results" must be a list of rows, as /api/describe gives them')
        packed = await run_sync(pack, rows, str(fields.get("format", "csv")))
        return _attachment(packed)

    async def _search(self, request: Request) -> Response:
        assert self._library is not None
        limit = request.query_params.get("limit", "100")
        if not limit.isdecimal() or not 1 <= int(limit) <= MOST_ROWS:
            raise CaptionerError(f"limit={limit!r}: give 1 to {MOST_ROWS}")
        query = request.query_params.get("query", "")
        return JSONResponse(await run_sync(self._library.find, query, int(limit)))

    async def _image(self, request: Request) -> Response:
        assert self._library is not None
        number = request.path_params["number"]
        async with self._images.place():
            image = await self._images.run(partial(self._library.image, number))
        if image is None:
            raise HTTPException(404, "the library has no such row")
        headers = {"Cache-Control": "private, max-age=86400"}
        return Response(image, media_type="image/jpeg", headers=headers)

    async def _correct(self, request: Request) -> Response:
        assert self._library is not None
        fields = await _read_json(request)
        path, text = fields.get("path"), fields.get("text")
        if not isinstance(path, str) or not (text is None or isinstance(text, str)):
            raise CaptionerError('give "path" as the row has it, and "text", words or null')
        number = request.path_params["number"]
        row = await run_sync(self._library.correct, number, path, text)
        if row is None:
            raise HTTPException(404, "the library has no such row")
        return JSONResponse(row)


async def _read_json(request: Request) -> dict[str, Any]:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise HTTPException(415, "send JSON, with the header Content-Type: application/json")
    try:
        fields = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise CaptionerError(f"this is no JSON ({error}): correct it") from error
    if not isinstance(fields, dict):
        raise CaptionerError("this is no object of JSON: send one")
    return fields


def _attachment(packed: Download) -> Response:
    disposition = f"attachment; filename*=UTF-8''{quote(packed.name)}"
    return Response(
        packed.content,
        media_type=packed.media_type,
        headers={"Content-Disposition": disposition},
    )


async def _refused(request: Request, error: HTTPException) -> Response:
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def _wrong(request: Request, error: CaptionerError) -> Response:
    return JSONResponse({"error": str(error)}, 409 if isinstance(error, ChangedError) else 400)


async def _gone(request: Request, error: ClientDisconnect) -> Response:
    return Response(status_code=400)  # which nobody reads


async def _broken(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "this is a fault of the server: see what it prints"}, 500)
