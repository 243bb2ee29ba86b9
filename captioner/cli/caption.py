"""`caption`: describe each image and each shot of a video in one sentence."""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from io import BufferedIOBase, BytesIO
from itertools import chain
from pathlib import Path
from typing import Any, cast

import click

from captioner import __version__
from captioner.cli.captioning_options import captioning_options, model_options, take_options
from captioner.cli.defaults import ConfiguredCommand
from captioner.cli.describing import (
    WITHOUT_ERRORS,
    choose_format,
    describe,
    progress_bar,
    read_chosen_preset,
    tell,
    write_results,
)
from captioner.cli.destination_options import (
    check_destinations,
    choose_journal,
    destination_options,
    open_destinations,
    own_suffixes,
)
from captioner.cli.endings import plain_errors
from captioner.cli.film_progress import FilmProgress
from captioner.cli.film_sources import FilmSources
from captioner.cli.named_sources import leave_described, list_paths, source_finder
from captioner.errors import CaptionerError
from captioner.media.files import find_clips, find_media
from captioner.media.standard_input import StandardInput
from captioner.reports.output import FORMATS, OF_ONE_VIDEO, RESUMABLE, open_report
from captioner.reports.report import LeftOut, summarize
from captioner.reports.run_record import Settings
from captioner.reports.text import escape_controls

# Options whose default is the preset's; a report records the value.
_RESOLVED = {"--beam-width": "beam_width", "--max-length": "max_length"}


@click.command(
    "caption", cls=ConfiguredCommand, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.argument("paths", nargs=-1, metavar="FILE...")
@click.option("-r", "--recursive", is_flag=True, help="Search subfolders as well.")
@click.option(
    "--all-files",
    is_flag=True,
    help="Try every file of a folder, whatever its suffix, except hidden ones.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(FORMATS),
    help="Output format; default: from the suffix of --out, else text.",
)
@click.option("--json", "as_json", is_flag=True, help="Same as --format json: one array.")
@click.option("--jsonl", "as_jsonl", is_flag=True, help="Same as --format jsonl: one row per line.")
@click.option("--csv", "as_csv", is_flag=True, help="Same as --format csv.")
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file instead of standard output. Text, JSONL and CSV files are appended "
    "to: files already described there are skipped unless they changed, and files with an error "
    "are tried again; model and options must match the earlier run, which FILE.run records. JSON "
    "and subtitle files are replaced when the run is complete.",
)
@destination_options
@model_options
@captioning_options
@click.option(
    "--summary",
    is_flag=True,
    help="After the shots of a video, also a sentence about the whole video.",
)
@click.option(
    "--overwrite",
    is_flag=True,
    help="Discard the contents of --out, and replace captions in sidecars and metadata.",
)
@click.option(
    "--fetch",
    is_flag=True,
    help="Fetch files named by http or https addresses; by default nothing is fetched.",
)
@click.option(
    "--fetch-private",
    is_flag=True,
    help="Like --fetch, and also from addresses of this machine and of local networks.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no summary of errors.")
@click.version_option(__version__, prog_name="caption")
@click.pass_context
def main(
    context: click.Context,
    /,
    paths: tuple[str, ...],
    recursive: bool,
    all_files: bool,
    format_name: str | None,
    out: Path | None,
    summary: bool,
    overwrite: bool,
    preset: str | None,
    engine: str,
    precision: str,
    fetch: bool,
    fetch_private: bool,
    quiet: bool,
    as_json: bool,
    as_jsonl: bool,
    as_csv: bool,
    **others: Any,
) -> None:
    """Describe each image, and each shot of a video, in one sentence.

    FILE is an image, a video, a folder of them, a pattern such as 'trip/*.jpg', or - for standard
    input: an image, or paths, one per line. A single file prints only its caption; several files,
    and --out, print rows of path, tab, caption. Captions of shots begin with their time.

    An unreadable file becomes an error row (in text, a line on standard error), and the others are
    still described. Exit code: 0 if every file has its captions, 1 if not, 2 after wrong usage,
    130 after Ctrl-C.

    \b
    caption dog.jpg
    caption --recursive photos --out captions.jsonl
    caption --format vtt film.mp4 --out film.vtt
    caption --preset vgg16_lstm_signs clip.mp4 --num-captions 3
    find . -name '*.png' | caption - --csv
    curl -s https://example.org/dog.jpg | caption -
    """  # noqa: D301
    short_formats = {"json": as_json, "jsonl": as_jsonl, "csv": as_csv}
    format_name = choose_format(format_name, short_formats, out)
    check_destinations(others, overwrite)
    if others["whole"] and summary:
        raise click.UsageError("--whole has no shots to summarize: leave --summary out.")
    if not paths:
        raise click.UsageError("No images: name files, folders or patterns, or - to read a list.")
    # sys.stdin is None if standard input is closed.
    stdin = StandardInput(cast(BufferedIOBase, getattr(sys.stdin, "buffer", BytesIO())))
    try:
        with plain_errors(), ExitStack() as stack:
            left_out = LeftOut(out, own_suffixes(others))
            loaded, folder = read_chosen_preset(preset)
            chosen = take_options(others, loaded, folder.name)
            every = chosen.describe.get("every")
            if loaded.task == "activity":
                if summary:
                    raise click.UsageError(
                        f"{folder.name} labels whole clips: leave --summary out."
                    )
                if format_name in OF_ONE_VIDEO:
                    raise click.UsageError(
                        f"{folder.name} labels whole clips: choose another format."
                    )
                find: Callable[..., Iterator[str]] = partial(find_clips, recursive=recursive)
                found = find(list_paths(paths, stdin))
            else:
                find = partial(find_media, recursive=recursive, all_files=all_files)
                found = find(list_paths(paths, stdin), leave_out=left_out.add)
            first = next(found, None)
            if first is None:
                raise click.UsageError("No images: standard input lists none.")
            second = next(found, None) if format_name in OF_ONE_VIDEO else None
            if second is not None:
                if out is not None:
                    raise click.UsageError(
                        "--out holds the shots of one video in this format: leave it out, and each "
                        "video gets a file beside it."
                    )
                found = chain([second], found)
                others["sidecars"] = (*others["sidecars"], format_name)
                format_name = "text"
            generation = loaded.config.get("generation", {})
            settings = Settings.of_preset(
                preset or folder.name,
                folder,
                chosen.settings
                | {"--summary": summary}
                | {
                    option: chosen.settings[option] or generation.get(key)
                    for option, key in _RESOLVED.items()
                },
            )
            try:
                report = stack.enter_context(
                    open_report(
                        out,
                        format_name,
                        settings=settings,
                        overwrite=overwrite,
                        # The paths found in a folder or by a pattern differ from the argument.
                        show_path=out is not None or paths != (first,),
                    )
                )
            except CaptionerError as error:
                message = escape_controls(str(error))
                raise click.BadParameter(message, param_hint="--out") from error
            report = stack.enter_context(
                open_destinations(
                    report,
                    others,
                    paths=paths,
                    settings=settings,
                    overwrite=overwrite,
                    is_file=out is not None,
                    tell=tell,
                    every=every,
                    frames=loaded.config.get("frames"),
                )
            )
            if report.remark and not quiet:
                click.echo(report.remark, err=True)
            bar = stack.enter_context(progress_bar(paths, quiet, lambda: find(paths)))
            progress = FilmProgress(bar, None if bar.total is None else lambda: find(paths))
            stack.callback(progress.finish)
            journal = None
            if loaded.task != "activity" and every != math.inf:
                journal = choose_journal(out, format_name, others, settings, overwrite, every)
            if journal is not None:
                stack.enter_context(journal)

            def skip(path: str) -> None:
                if journal is not None:
                    journal.forget(path)
                progress.skip(path)

            new = leave_described(chain([first], found), report, skip)
            find_source = source_finder(stdin, fetch or fetch_private, fetch_private)
            films = FilmSources(find_source, journal, summary)
            results = describe(
                films.sources(new),
                loaded,
                engine,
                precision,
                **chosen.describe,
            )
            total, failed = write_results(films.results(results), report, progress, format_name)
    except KeyboardInterrupt:
        if out is not None and not quiet:
            end = (
                "resumes here"
                if format_name in (*RESUMABLE, *OF_ONE_VIDEO)
                else f"starts again; no {out} is written"
            )
            click.echo(f"Interrupted: the same command {end}.", err=True)
        context.exit(130)
    if not quiet:
        for line in summarize(report, left_out):
            click.echo(escape_controls(line), err=True)
    if failed and format_name not in WITHOUT_ERRORS and not quiet:
        click.echo(f"{failed} of {total} files have an error: see their rows", err=True)
    context.exit(1 if failed or report.failed else 0)
