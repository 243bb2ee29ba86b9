"""What the server counts about itself, for Prometheus; and whether it can take on more."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from captioner.web.admission import Admission

# A batch of images on two cores takes seconds, a film minutes.
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_OTHER = "other"  # paths that the server does not have: any number of names


class Monitoring:
    """Counters of one server, in the text format of Prometheus.

    Args:
        admission: Of the requests that describe files.
        paths: Of the server, as its routes have them.

    Raises:
        ModuleNotFoundError: prometheus-client is not installed.

    Source: https://prometheus.io/docs/practices/naming, for names and units.
    """

    def __init__(self, admission: Admission, paths: Iterable[str]) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self._registry = CollectorRegistry()
        own: dict[str, Any] = {"namespace": "captioner", "registry": self._registry}
        self._paths = sorted((path.partition("{")[0], path) for path in paths)[::-1]
        self._requests = Counter("requests", "Answered requests", ["path", "status"], **own)
        self._seconds = Histogram(
            "request_seconds", "Seconds from a request to its answer", ["path"],
            buckets=_SECONDS, **own,
        )  # fmt: skip
        self._files = Counter("files", "Files of requests", ["result"], **own)
        for result in ("described", "failed"):
            self._files.labels(result)  # 0 rather than nothing, so that rates begin there
        waiting = Gauge("requests_waiting", "Requests that wait for their turn", **own)
        waiting.set_function(lambda: admission.waiting)
        working = Gauge("requests_working", "Requests that are worked on", **own)
        working.set_function(lambda: admission.inside - admission.waiting)

    def count_files(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Count the files of a request by what came of them."""
        failed = sum("error" in row for row in rows)
        self._files.labels("failed").inc(failed)
        self._files.labels("described").inc(len(rows) - failed)

    def count_request(self, path: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        known = next((route for start, route in self._paths if _fits(path, start, route)), _OTHER)
        self._requests.labels(known, str(status)).inc()
        self._seconds.labels(known).observe(seconds)

    def answer(self) -> Response:
        """Return all counters."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)


class CountRequests:
    """Counts and times all requests, also those that are refused.

    Args:
        app: Answers them.
        monitoring: Counts them.
    """

    def __init__(self, app: ASGIApp, monitoring: Monitoring) -> None:
        self._app = app
        self._monitoring = monitoring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI asks for it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            seconds = time.perf_counter() - began
            self._monitoring.count_request(scope["path"], status, seconds)


def start_monitoring(admission: Admission, paths: Iterable[str]) -> Monitoring | None:
    """Return the counters of a server; None without prometheus-client."""
    try:
        return Monitoring(admission, paths)
    except ModuleNotFoundError:
        return None


def metrics_of(monitoring: Monitoring | None) -> Response:
    """Return all counters.

    Raises:
        HTTPException: There are none.
    """
    if monitoring is None:
        raise HTTPException(501, "metrics need prometheus-client: pip install 'captioner[serve]'")
    return monitoring.answer()


def _fits(path: str, start: str, route: str) -> bool:
    return path == route or (start != route and path.startswith(start))
