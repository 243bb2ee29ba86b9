"""`captioner serve`: serve the page and its HTTP API from this machine."""

import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from captioner.cli.captioning_options import model_options, take_options, wording_options
from captioner.cli.endings import plain_errors
from captioner.errors import CaptionerError

_LOCAL = ("127.0.0.1", "::1", "localhost")
_CONNECTIONS = 256  # simultaneous; most of them are idle


@click.command()
@model_options
@click.option(
    "--library",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also show this library of `caption --library`, with search and corrections.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 chooses a free port.",
)
@click.option(
    "--allow-host",
    metavar="NAME",
    multiple=True,
    help="Host name that browsers may use besides localhost and IP addresses. Repeatable.",
)
@click.option(
    "--max-megabytes",
    default=256,
    show_default=True,
    type=click.IntRange(min=1),
    help="Maximum size of a request.",
)
@click.option(
    "--max-megapixels",
    default=100,
    show_default=True,
    type=click.IntRange(min=1),
    help="Maximum size of an image, or of a frame of a clip.",
)
@click.option(
    "--max-waiting",
    default=16,
    show_default=True,
    type=click.IntRange(min=0),
    help="Maximum number of waiting requests; further ones are rejected with status 503.",
)
@click.option(
    "--timeout",
    default=120.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Time limit for a request to arrive, to wait, and to be answered.",
)
@wording_options
def serve(
    preset: str | None,
    library: Path | None,
    host: str,
    port: int,
    allow_host: tuple[str, ...],
    max_megabytes: int,
    max_megapixels: int,
    max_waiting: int,
    timeout: float,
    engine: str,
    precision: str,
    **others: Any,
) -> None:
    """Serve a page for images and clips in the browser, and an HTTP API.

    Files that are dropped on the page are described and then deleted. The server listens only on
    this machine unless --host is given, and has no password: anyone who can reach it can use it.
    docs/how-to/serve.md describes the HTTP API.

    \b
    captioner serve
    captioner serve --library photos.db
    captioner serve --host 0.0.0.0 --allow-host laptop.local
    """  # noqa: D301
    with plain_errors(), _listen(host, port) as listener:
        try:
            import uvicorn

            from captioner.web.application import Limits, Service, build_application
        except ModuleNotFoundError as error:
            raise CaptionerError(
                f"the page needs {error.name}: `pip install 'captioner[web]'`"
            ) from error
        from captioner.captioner import Captioner
        from captioner.presets.storage import DEFAULT_PRESET, preset_folder, read_preset

        folder = preset_folder(preset or DEFAULT_PRESET)
        loaded = read_preset(folder, task=None)
        options = take_options(others, loaded, folder.name).describe
        service = Service(
            Captioner(loaded, precision, engine),
            folder.name,
            library,
            allow_host,
            options,
            Limits(max_megabytes * 10**6, max_megapixels * 10**6, max_waiting, timeout),
        )
        application = build_application(service)
        address = _address(listener)
        click.echo(f"{folder.name} is at {address} (Ctrl-C ends it)", err=True)
        if host not in _LOCAL:
            click.echo(
                "Anyone who can reach this machine can use the page"
                + (", and see and correct the library." if library else "."),
                err=True,
            )
        config = uvicorn.Config(
            application,
            log_config=None,  # Python's default: warnings and errors on stderr
            log_level="warning",
            limit_concurrency=_CONNECTIONS,
            timeout_graceful_shutdown=3,
            server_header=False,
        )
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])
        click.echo("Ended.", err=True)


def _listen(host: str, port: int) -> socket.socket:
    """Open the port before the model is loaded, so that errors are reported at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CaptionerError(
            f"cannot listen on {host}, port {port} ({reason}): choose another --port, or an "
            "address of this machine as --host"
        ) from error


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "localhost", "::": "localhost"}.get(host, host)
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
