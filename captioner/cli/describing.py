"""The run of `caption`: from paths and addresses to captions in the report."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from captioner.cli.film_progress import FilmProgress
from captioner.cli.film_sources import FileResult
from captioner.cli.named_sources import Named
from captioner.errors import CaptionerError
from captioner.media.standard_input import PATH
from captioner.reports.output import OF_ONE_VIDEO, format_of
from captioner.reports.report import Report
from captioner.reports.text import escape_controls

if TYPE_CHECKING:
    from captioner.presets.storage import Preset
    from captioner.results import Result

WITHOUT_ERRORS = ("text", *OF_ONE_VIDEO)  # formats in which an error has no row


def choose_format(name: str | None, short: dict[str, bool], out: Path | None) -> str:
    """Return the output format, from the options or from the file's suffix.

    Args:
        name: Value of --format.
        short: Values of --json, --jsonl and --csv, by format.
        out: Output file; None for standard output.

    Raises:
        click.UsageError: If two formats are given, or the suffix is unknown.
    """
    wanted = {option for option, given in short.items() if given}
    wanted |= {name} if name else set()
    if len(wanted) > 1:
        raise click.UsageError(f"Two formats at once, {' and '.join(sorted(wanted))}: choose one.")
    if wanted or out is None:
        return wanted.pop() if wanted else "text"
    try:
        return format_of(out)
    except CaptionerError as error:
        raise click.BadParameter(str(error), param_hint="--out") from error


def read_chosen_preset(name: str | None) -> "tuple[Preset, Path]":
    """Return the preset of that name (default: the bundled one) and its folder."""
    from captioner.presets.storage import DEFAULT_PRESET, preset_folder, read_preset

    try:
        folder = preset_folder(name or DEFAULT_PRESET)
    except CaptionerError as error:
        raise click.BadParameter(str(error), param_hint="--preset") from error
    return read_preset(folder, task=None), folder


def progress_bar(paths: Sequence[str], quiet: bool, find: Callable[[], Iterable[str]]) -> Any:
    """Return a tqdm bar over files, with their number if it can be counted in advance."""
    from tqdm import tqdm

    shown = not quiet and sys.stderr.isatty()
    # The number of paths on standard input is only known at its end.
    total = sum(1 for _ in find()) if shown and PATH not in paths else None
    return tqdm(total=total, unit=" files", disable=not shown)


def describe(
    sources: Iterator[Named], preset: "Preset", engine: str, precision: str, **options: Any
) -> "Iterator[Result]":
    """Describe sources; load the network only if there are any."""
    first = next(sources, None)
    if first is None:
        return
    from captioner.captioner import Captioner

    yield from Captioner(preset, precision, engine).describe(chain([first], sources), **options)


def write_results(
    results: Iterable[FileResult], report: Report, progress: FilmProgress, format_name: str
) -> tuple[int, int]:
    """Write each result into the report as it arrives.

    Args:
        results: Captions and errors, file by file.
        report: Report to write to.
        progress: Progress of the run.
        format_name: Format of the report; in formats without error rows, errors go to standard
            error.

    Returns:
        The number of files, and the number of files with an error.
    """
    from tqdm import tqdm

    total = failed = 0
    for result in results:
        path = result.path
        total += result.last
        with tqdm.external_write_mode():
            report.write(path, result.caption, result.last)
            if isinstance(result.caption, CaptionerError):
                failed += 1
                if format_name in WITHOUT_ERRORS:
                    reason = str(result.caption)
                    line = reason if path in reason else f"{path}: {reason}"
                    click.echo(escape_controls(line), err=True)
        progress.add(result)
    return total, failed


def tell(message: str) -> None:
    """Print a line on standard error without breaking the progress bar."""
    from tqdm import tqdm

    with tqdm.external_write_mode():
        click.echo(escape_controls(message), err=True)
