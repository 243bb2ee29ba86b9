"""Options of `caption` that say where captions go besides the report."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from captioner.metadata.xmp import Existing
    from captioner.reports.destination import Destination
    from captioner.reports.report import Report

_Command = TypeVar("_Command", bound=Callable[..., Any])

# As in captioner.reports.sidecar, which need not be imported to show the help.
_SIDECARS = ("txt", "json", "xmp", "srt", "vtt")
_OPTIONS = (
    click.option(
        "--sidecar",
        "sidecars",
        multiple=True,
        type=click.Choice(_SIDECARS),
        help="Write a file beside each picture or clip, too: dog.jpg gets dog.txt. Pictures that "
        "have one are skipped, unless --overwrite, --append or --prepend is given. xmp is read by "
        "darktable, digiKam and Lightroom. Repeatable.",
    ),
    click.option(
        "--sidecar-names",
        "naming",
        type=click.Choice(("stem", "full")),
        help="dog.txt (stem) or dog.jpg.txt (full); by default stem, of xmp full.",
    ),
    click.option(
        "--embed",
        is_flag=True,
        help="Write the caption into each JPEG, PNG or WebP file, as its description and its "
        "alternative text (XMP). Its pixels are not touched.",
    ),
    click.option(
        "--append",
        is_flag=True,
        help="Put captions behind the texts that --sidecar txt or xmp or --embed finds.",
    ),
    click.option("--prepend", is_flag=True, help="Put captions before them."),
)


def destination_options(command: _Command) -> _Command:
    """Give a command these options; `check_destinations` and `open_destinations` take them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def check_destinations(options: dict[str, Any], overwrite: bool) -> None:
    """Refuse options that contradict one another.

    Raises:
        click.UsageError: They do.
    """
    ways = [f"--{name}" for name in ("append", "prepend") if options[name]]
    ways += ["--overwrite"] * overwrite
    if len(ways) > 1:
        raise click.UsageError(f"{' and '.join(ways)} at once: choose one.")
    if ways and ways[0] != "--overwrite":
        joined = [form for form in options["sidecars"] if form in ("txt", "xmp")]
        if not joined and not options["embed"]:
            raise click.UsageError(f"{ways[0]} is for --sidecar txt or xmp, or --embed.")
        other = [form for form in options["sidecars"] if form not in ("txt", "xmp")]
        if other:
            raise click.UsageError(f"{ways[0]} has no meaning for --sidecar {other[0]}.")
    if options["naming"] and not options["sidecars"]:
        raise click.UsageError("--sidecar-names is for --sidecar: name its format.")


@contextmanager
def open_destinations(
    report: "Report",
    options: dict[str, Any],
    *,
    overwrite: bool,
    is_file: bool,
    tell: Callable[[str], object],
) -> Iterator["Report"]:
    """Open what the options name beside a report, for the length of a `with` block.

    Args:
        report: That of the run.
        options: Of `destination_options`, by name.
        overwrite: Whether captions that are there are replaced.
        is_file: See `FannedReport`.
        tell: See `FannedReport`.

    Yields:
        The report itself where no option is given, or else a `FannedReport`.

    Raises:
        CaptionerError: A destination cannot be opened.
    """
    destinations = _make_destinations(options, overwrite)
    if not destinations:
        yield report
        return
    from captioner.reports.fanned import FannedReport

    yield FannedReport(report, destinations, is_file, tell)
    for destination in destinations:
        destination.close()


def _make_destinations(options: dict[str, Any], overwrite: bool) -> "list[Destination]":
    existing: Existing = "keep"
    if overwrite or options["append"] or options["prepend"]:
        existing = "overwrite" if overwrite else "append" if options["append"] else "prepend"
    destinations: list[Destination] = []
    if options["sidecars"]:
        from captioner.reports.sidecar import Sidecars

        destinations += [
            Sidecars(form, options["naming"], existing)
            for form in dict.fromkeys(options["sidecars"])
        ]
    if options["embed"]:
        from captioner.reports.embedded import EmbeddedCaptions

        destinations.append(EmbeddedCaptions(existing))
    return destinations
