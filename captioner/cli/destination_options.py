"""Options of `caption` for destinations of captions besides the report."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from captioner.cli.captioning_options import adds

if TYPE_CHECKING:
    from captioner.metadata.xmp import Existing
    from captioner.reports.destination import Destination
    from captioner.reports.report import Report
    from captioner.reports.run_record import Settings
    from captioner.reports.shot_journal import ShotJournal


# The same as in captioner.reports.sidecar, which is not imported just to show the help.
_SIDECARS = ("txt", "json", "xmp", "srt", "vtt", "chapters")
destination_options = adds(
    click.option(
        "--sidecar",
        "sidecars",
        multiple=True,
        type=click.Choice(_SIDECARS),
        help="Also write a file beside each image or clip: dog.jpg gets dog.txt. Images that have "
        "one are skipped, unless --overwrite, --append or --prepend is given. darktable, digiKam "
        "and Lightroom read xmp; srt, vtt and chapters (film.chapters.json) are for videos. "
        "Repeatable.",
    ),
    click.option(
        "--sidecar-names",
        "naming",
        type=click.Choice(("stem", "full")),
        help="dog.txt (stem) or dog.jpg.txt (full); default: stem, but full for xmp.",
    ),
    click.option(
        "--embed",
        is_flag=True,
        help="Write the caption into each JPEG, PNG or WebP file, as its description and its "
        "alternative text (XMP). The pixels do not change.",
    ),
    click.option(
        "--append",
        is_flag=True,
        help="Put captions after existing texts, with --sidecar txt or xmp, or --embed.",
    ),
    click.option("--prepend", is_flag=True, help="Put captions before existing texts."),
    click.option(
        "--library",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Also keep the captions in an SQLite file, where `captioner search` finds them. Files "
        "with known content are skipped, even if they have moved.",
    ),
    click.option(
        "--html",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Also write a page of thumbnails with their captions, in one file.",
    ),
    click.option(
        "--explain",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Draw the attention to an image, or to the shots of a video, for each word (.png or "
        ".jpg).",
    ),
)


def check_destinations(options: dict[str, Any], overwrite: bool) -> None:
    """Reject options that contradict each other.

    Raises:
        click.UsageError: If they do.
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
    explain = options["explain"]
    if explain is not None and explain.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise click.UsageError(f"--explain {explain}: name a .png or .jpg file.")
    if options["naming"] and not options["sidecars"]:
        raise click.UsageError("--sidecar-names is for --sidecar: name its format.")


def own_suffixes(options: dict[str, Any]) -> list[str]:
    """Return the suffixes, without dots, of files that a run writes into folders of images."""
    suffixes = ["json" if form == "chapters" else form for form in options["sidecars"]]
    for name in ("library", "html"):
        if options[name] is not None:
            suffix = options[name].suffix.removeprefix(".")
            suffixes += (
                [suffix, f"{suffix}-wal", f"{suffix}-shm"] if name == "library" else [suffix]
            )
    return suffixes


def choose_journal(
    out: Path | None,
    format_name: str,
    options: dict[str, Any],
    settings: "Settings",
    overwrite: bool,
    every: float | None,
) -> "ShotJournal | None":
    """Return a journal of finished shots if the run's outputs can be resumed in a video's middle.

    Args:
        out: File of the report; the journal is beside it. Otherwise it is beside the library, or
            beside the videos if they get sidecars.
        format_name: Format of the report.
        options: Values of `destination_options`, by name.
        settings: Settings of the run.
        overwrite: If True, earlier results are discarded.
        every: Seconds of a clip of a video, as for `read_clips`.
    """
    from captioner.reports.output import OF_ONE_VIDEO, RESUMABLE
    from captioner.reports.shot_journal import ShotJournal

    # An explanation needs the attention, and a page is written at the end of the run.
    if overwrite or options["explain"] is not None or options["html"] is not None:
        return None
    if out is not None:
        if format_name not in (*RESUMABLE, *OF_ONE_VIDEO):
            return None
        report = out.resolve()
        return ShotJournal(settings, report.with_name(f"{report.name}.shots"), every)
    if options["library"] is not None:
        library = options["library"]
        return ShotJournal(settings, library.with_name(f"{library.name}.shots"), every)
    return ShotJournal(settings, None, every) if options["sidecars"] else None


@contextmanager
def open_destinations(
    report: "Report",
    options: dict[str, Any],
    *,
    paths: Sequence[str],
    settings: "Settings",
    overwrite: bool,
    is_file: bool,
    tell: Callable[[str], object],
    every: float | None = None,
    frames: int | None = None,
) -> Iterator["Report"]:
    """Open the destinations that the options name, for the duration of a `with` block.

    Args:
        report: Report of the run.
        options: Values of `destination_options`, by name.
        paths: Paths of the command line.
        settings: Settings of the run.
        overwrite: If True, existing captions are replaced.
        is_file: See `FannedReport`.
        tell: See `FannedReport`.
        every: Seconds of a clip of a video, as for `read_clips`.
        frames: Maximum number of frames of a clip; None for the default number.

    Yields:
        The report itself if no option is given, or else a `FannedReport`.

    Raises:
        CaptionerError: If a destination cannot be opened.
    """
    with ExitStack() as stack:
        destinations = _open_files(options, overwrite, every, frames)
        if options["library"] is not None:
            from captioner.library.collection import Library
            from captioner.library.keeping import KeptCaptions

            library = stack.enter_context(Library(options["library"], create=True))
            model = f"{settings.preset} {settings.sha256[:8]}"
            # After embedding, which changes the file's content and so its record in the library.
            destinations.append(
                KeptCaptions(
                    library, model, paths, overwrite=overwrite, changes_files=options["embed"]
                )
            )
        if options["html"] is not None:
            from captioner.reports.gallery import open_gallery

            destinations.append(stack.enter_context(open_gallery(options["html"])))
        if not destinations:
            yield report
            return
        from captioner.reports.report import FannedReport

        yield FannedReport(report, destinations, is_file, tell)
        for destination in destinations:
            destination.close()


def _open_files(
    options: dict[str, Any], overwrite: bool, every: float | None, frames: int | None
) -> "list[Destination]":
    """Return the destinations other than the library and the HTML page."""
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
        from captioner.reports.destination import EmbeddedCaptions

        destinations.append(EmbeddedCaptions(existing))
    if options["explain"] is not None:
        from captioner.media.sampling import FRAMES
        from captioner.reports.explained import ExplainedCaption

        destinations.append(ExplainedCaption(options["explain"], every, frames or FRAMES))
    return destinations
