"""The run of `caption`: from paths and addresses to captions in the report."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from captioner.errors import CaptionerError
from captioner.media.fetching import Remote, is_address
from captioner.media.standard_input import PATH, StandardInput
from captioner.reports.output import SUBTITLES, format_of
from captioner.reports.report import Report
from captioner.reports.text import escape_controls

if TYPE_CHECKING:
    from captioner.presets.storage import Preset
    from captioner.results import Result

Named = str | bytes | Remote  # a path, the image on standard input, a file on a server


def list_paths(paths: Iterable[str], stdin: StandardInput) -> Iterator[str]:
    """Yield the paths of a command line; replace `-` by the paths on standard input."""
    for path in paths:
        if path == PATH:
            yield from stdin.paths()
        else:
            yield path


def leave_described(
    paths: Iterable[str], report: Report, skipped: Callable[[], object]
) -> Iterator[str]:
    """Yield the paths that a report does not have yet; call `skipped` for each of the others."""
    for path in paths:
        if path != PATH and report.skip(path):
            skipped()
        else:
            yield path


def source_finder(stdin: StandardInput, fetch: bool, allow_private: bool) -> Callable[[str], Named]:
    """Return a function from paths to sources.

    Args:
        stdin: Standard input, with the image for `-`.
        fetch: If True, addresses are fetched.
        allow_private: If True, also from this machine and local networks.
    """

    def find(path: str) -> Named:
        return Remote(path, allow_private) if fetch and is_address(path) else stdin.source(path)

    return find


def path_of(source: Named) -> str:
    """Return the path that names a source."""
    if isinstance(source, bytes):
        return PATH
    return source.url if isinstance(source, Remote) else str(source)


WITHOUT_ERRORS = ("text", *SUBTITLES)  # formats in which an error has no row


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
    results: "Iterable[Result]", report: Report, progress: Any, format_name: str
) -> tuple[int, int]:
    """Write each result into the report as it arrives.

    Args:
        results: Captions and errors, file by file.
        report: Report to write to.
        progress: Progress bar of tqdm.
        format_name: Format of the report; in formats without error rows, errors go to standard
            error.

    Returns:
        The number of files, and the number of files with an error.
    """
    total = failed = frames = 0
    for result in results:
        path = path_of(result.source)
        total += result.last
        frames += result.frames
        with progress.external_write_mode():
            report.write(path, result.caption, result.last)
            if isinstance(result.caption, CaptionerError):
                failed += 1
                if format_name in WITHOUT_ERRORS:
                    reason = str(result.caption)
                    line = reason if path in reason else f"{path}: {reason}"
                    click.echo(escape_controls(line), err=True)
        progress.set_postfix_str(f"{frames} frames", refresh=False)
        progress.update(result.last)
    return total, failed


def tell(message: str) -> None:
    """Print a line on standard error without breaking the progress bar."""
    from tqdm import tqdm

    with tqdm.external_write_mode():
        click.echo(escape_controls(message), err=True)
