"""`caption`: say in a sentence what each picture, and each shot of a film, shows."""

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from io import BufferedIOBase, BytesIO
from itertools import chain, tee
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from captioner import __version__
from captioner.commands.activities import label_clips, read_recognizer
from captioner.commands.defaults import ConfiguredCommand
from captioner.commands.destination_options import (
    check_destinations,
    destination_options,
    open_destinations,
    own_suffixes,
)
from captioner.commands.errors import plain_errors
from captioner.commands.wording_options import check_lengths, take_wording, wording_options
from captioner.errors import CaptionerError
from captioner.media.clip_files import find_clips
from captioner.media.files import find_media
from captioner.media.standard_input import PATH, StandardInput
from captioner.reports.escapes import escape_controls
from captioner.reports.formats import FORMATS, RESUMABLE, SUBTITLES, format_of
from captioner.reports.output import open_report
from captioner.reports.report import Report
from captioner.reports.run_record import Settings
from captioner.reports.summary import LeftOut, summarize

if TYPE_CHECKING:
    from captioner.presets.storage import Preset
    from captioner.result import Result

_WITHOUT_ERRORS = ("text", *SUBTITLES)  # formats in which an error has no row


@click.command(
    "caption", cls=ConfiguredCommand, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.argument("paths", nargs=-1, metavar="FILE...")
@click.option("-r", "--recursive", is_flag=True, help="Search the subfolders of folders, too.")
@click.option(
    "--all-files",
    is_flag=True,
    help="Try every file of a folder, whatever its suffix; hidden ones are left out.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(FORMATS),
    help="Of the output; by default that of --out by its suffix, or else text.",
)
@click.option("--json", "as_json", is_flag=True, help="Short for --format json, one array.")
@click.option("--jsonl", "as_jsonl", is_flag=True, help="Short for --format jsonl, a row a line.")
@click.option("--csv", "as_csv", is_flag=True, help="Short for --format csv.")
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write to, in place of standard output. Text, JSONL and CSV are appended to: "
    "files that are described there and have not changed are skipped, those with an error are "
    "tried again; model and options must be those of the earlier run, which FILE.run tells. JSON "
    "and subtitles are written anew, once complete.",
)
@destination_options
@click.option("--whole", is_flag=True, help="One sentence about each film, not one a shot.")
@click.option(
    "--every",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    help="One sentence about every so many seconds of a film, not one a shot.",
)
@click.option(
    "--overwrite",
    is_flag=True,
    help="Throw away what --out holds, and replace the captions of sidecars and metadata.",
)
@click.option("--preset", help="Name or folder of the model; by default the bundled one.")
@click.option(
    "--activity",
    metavar="PRESET",
    help="Name what is done in each clip, by this model, in place of describing it. A folder of "
    "numbered frames is a clip, too; --num-captions is the number of labels.",
)
@click.option(
    "--weights",
    type=click.Path(exists=True, dir_okay=False),
    help="For --activity: file of the VGG16 that the model was trained with, where it is not at "
    "the place that the model names.",
)
@click.option(
    "-n",
    "--num-captions",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="Sentences for each picture or shot, the best first.",
)
@click.option(
    "--beam-width",
    type=click.IntRange(min=1),
    help="Sentences that the search pursues at once, at least --num-captions; by default the "
    "preset's.",
)
@click.option(
    "--max-length", type=click.IntRange(min=1), help="Words at most; by default the preset's."
)
@wording_options
@click.option(
    "--mirror",
    is_flag=True,
    help="Look at each picture's mirror image, too: a little better, at twice the time.",
)
@click.option(
    "--min-confidence",
    metavar="SHARE",
    default=0.0,
    type=click.FloatRange(0, 1),
    help='Least confidence of a caption, 0 to 1; below it, the row says "no confident '
    'description". In JSON its caption is empty and "uncertain" is true.',
)
@click.option(
    "--batch-size",
    default=16,
    show_default=True,
    type=click.IntRange(min=1),
    help="Pictures and frames that go through the network together.",
)
@click.option(
    "--engine",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "openvino", "keras"]),
    help="What runs the network: auto is openvino, the fastest on a CPU, where that is possible; "
    "a GPU is for keras.",
)
@click.option(
    "--precision",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "bfloat16", "float32"]),
    help="Of the arithmetic; auto is bfloat16 where the processor has it.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=math.inf,
    metavar="SECONDS",
    help="Give up a file that takes longer than this to be read; by default none is.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no summary of errors.")
@click.version_option(__version__, prog_name="caption")
@click.pass_context
def main(
    context: click.Context,
    paths: tuple[str, ...],
    recursive: bool,
    all_files: bool,
    format_name: str | None,
    out: Path | None,
    whole: bool,
    every: float | None,
    overwrite: bool,
    preset: str | None,
    activity: str | None,
    weights: str | None,
    num_captions: int,
    beam_width: int | None,
    max_length: int | None,
    mirror: bool,
    min_confidence: float,
    batch_size: int,
    engine: str,
    precision: str,
    timeout: float,
    quiet: bool,
    as_json: bool,
    as_jsonl: bool,
    as_csv: bool,
    **others: Any,
) -> None:
    r"""Say in a sentence what each picture, and each shot of a film, shows.

    A FILE is a picture, a film, a folder of them, a pattern such as 'trip/*.jpg', or - for
    standard input: an image, or paths, one a line. One file gives its caption alone, several give
    rows of path, tab, caption, and so does --out. That of a shot has its time before it.

    A file that cannot be read becomes an error row (in text, a line on standard error), and the
    others are captioned all the same. The exit code is 0 if every file has its captions, 1 if not,
    2 after wrong usage, 130 after Ctrl-C.

    \b
    caption dog.jpg
    caption --recursive photos --out captions.jsonl
    caption --format vtt film.mp4 --out film.vtt
    caption --activity runs/activity/best clip.mp4 --num-captions 3
    find . -name '*.png' | caption - --csv
    curl -s https://example.org/dog.jpg | caption -
    """
    short_formats = {"json": as_json, "jsonl": as_jsonl, "csv": as_csv}
    format_name = _choose_format(format_name, short_formats, out)
    wording, destinations = take_wording(others), others
    check_destinations(destinations, overwrite)
    if whole and every is not None:
        raise click.UsageError("--whole and --every at once: choose one.")
    if activity is not None and (
        preset or whole or every or beam_width or max_length or mirror or format_name in SUBTITLES
    ):
        raise click.UsageError(
            "--activity labels whole clips: leave out --preset, --whole, --every, --beam-width, "
            "--max-length, --mirror and subtitles."
        )
    if weights is not None and activity is None:
        raise click.UsageError("--weights is for --activity: name its model.")
    if not paths:
        raise click.UsageError("No pictures: name files, folders or patterns, or - to read a list.")
    # Python has none where it is closed.
    stdin = StandardInput(cast(BufferedIOBase, getattr(sys.stdin, "buffer", BytesIO())))
    try:
        with plain_errors(), ExitStack() as stack:
            left_out = LeftOut(out, own_suffixes(destinations))
            if activity is None:
                loaded, folder = _read_preset(preset)
                find = partial(find_media, recursive=recursive, all_files=all_files)
                found = find(_arguments(paths, stdin), leave_out=left_out.add)
            else:
                recognizer, folder = read_recognizer(activity)
                find = partial(find_clips, recursive=recursive)
                found = find(_arguments(paths, stdin))
            first = next(found, None)
            if first is None:
                raise click.UsageError("No pictures: standard input lists none.")
            second = next(found, None) if format_name in SUBTITLES else None
            if second is not None:
                if out is not None:
                    raise click.UsageError(
                        "--out has the subtitles of one film: leave it out, and each gets a file "
                        "beside it."
                    )
                found = chain([second], found)
                destinations["sidecars"] = (*destinations["sidecars"], format_name)
                format_name = "text"
            generation = {} if activity is not None else loaded.config["generation"]
            check_lengths(wording, max_length or generation.get("max_length", math.inf))
            settings = Settings.of_preset(
                activity or preset or folder.name,
                folder,
                {
                    "--num-captions": num_captions,
                    "--beam-width": beam_width or generation.get("beam_width"),
                    "--max-length": max_length or generation.get("max_length"),
                    "--whole": whole,
                    "--every": every,
                    "--mirror": mirror,
                    "--min-confidence": min_confidence,
                    **wording.settings,
                },
            )
            try:
                report = stack.enter_context(
                    open_report(
                        out,
                        format_name,
                        settings=settings,
                        overwrite=overwrite,
                        # A folder or pattern is found as something else than itself.
                        show_path=out is not None or paths != (first,),
                    )
                )
            except CaptionerError as error:
                message = escape_controls(str(error))
                raise click.BadParameter(message, param_hint="--out") from error
            report = stack.enter_context(
                open_destinations(
                    report,
                    destinations,
                    paths=paths,
                    settings=settings,
                    overwrite=overwrite,
                    is_file=out is not None,
                    tell=_tell,
                )
            )
            if report.remark and not quiet:
                click.echo(report.remark, err=True)
            progress = stack.enter_context(_progress(paths, quiet, lambda: find(paths)))
            new = _skip(chain([first], found), report, progress.update)
            search = {"beam_width": beam_width, "max_length": max_length}
            options: dict[str, Any] = {k: v for k, v in search.items() if v is not None}
            options["every"] = math.inf if whole else every
            total = failed = frames = 0
            if activity is None:
                results = _caption(
                    new,
                    stdin.source,
                    loaded,
                    engine,
                    precision,
                    batch_size=batch_size,
                    num_captions=num_captions,
                    mirror=mirror,
                    min_confidence=min_confidence,
                    timeout=timeout,
                    **wording.describe,
                    **options,
                )
            else:
                results = label_clips(
                    new, stdin.source, recognizer, precision, weights, num_captions, timeout
                )
            for path, result in results:
                total += result.last
                frames += result.frames
                with progress.external_write_mode():
                    report.write(path, result.caption, result.last)
                    if isinstance(result.caption, CaptionerError):
                        failed += 1
                        if format_name in _WITHOUT_ERRORS:
                            reason = str(result.caption)
                            line = reason if path in reason else f"{path}: {reason}"
                            click.echo(escape_controls(line), err=True)
                progress.set_postfix_str(f"{frames} frames", refresh=False)
                progress.update(result.last)
    except KeyboardInterrupt:
        if out is not None and not quiet:
            end = (
                "resumes here" if format_name in RESUMABLE else f"begins anew; no {out} is written"
            )
            click.echo(f"Interrupted: the same command {end}.", err=True)
        context.exit(130)
    if not quiet:
        for line in summarize(report, left_out):
            click.echo(escape_controls(line), err=True)
    if failed and format_name not in _WITHOUT_ERRORS and not quiet:
        click.echo(f"{failed} of {total} files have an error: see their rows", err=True)
    context.exit(1 if failed or report.failed else 0)


def _tell(message: str) -> None:
    """Write a line on standard error, beside the progress bar."""
    from tqdm import tqdm

    with tqdm.external_write_mode():
        click.echo(escape_controls(message), err=True)


def _choose_format(name: str | None, short: dict[str, bool], out: Path | None) -> str:
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


def _read_preset(name: str | None) -> "tuple[Preset, Path]":
    """The preset and its folder."""
    from captioner.presets.storage import DEFAULT_PRESET, preset_folder, read_preset

    try:
        folder = preset_folder(name or DEFAULT_PRESET)
    except CaptionerError as error:
        raise click.BadParameter(str(error), param_hint="--preset") from error
    return read_preset(folder), folder


def _arguments(paths: Iterable[str], stdin: StandardInput) -> Iterator[str]:
    for path in paths:
        if path == PATH:
            yield from stdin.paths()
        else:
            yield path


def _progress(paths: Sequence[str], quiet: bool, find: Callable[[], Iterator[str]]) -> Any:
    from tqdm import tqdm

    shown = not quiet and sys.stderr.isatty()
    # How much standard input lists is known at its end alone.
    total = sum(1 for _ in find()) if shown and PATH not in paths else None
    return tqdm(total=total, unit=" files", disable=not shown)


def _skip(paths: Iterable[str], report: Report, skipped: Callable[[], object]) -> Iterator[str]:
    for path in paths:
        if path != PATH and report.skip(path):
            skipped()
        else:
            yield path


def _caption(
    paths: Iterator[str],
    source_of: Callable[[str], str | bytes],
    preset: "Preset",
    engine: str,
    precision: str,
    **options: Any,
) -> Iterator[tuple[str, "Result"]]:
    """Yields each path with its results, loading the network only if there are paths."""
    first = next(paths, None)
    if first is None:
        return
    from captioner.captioner import Captioner

    if "max_length" in options and "min_length" not in options:
        wanted = preset.config["generation"].get("min_length", 1)
        options["min_length"] = min(wanted, options["max_length"])
    to_read, names = tee(chain([first], paths))
    sources = map(source_of, to_read)
    # `describe` reads ahead by some batches; the names wait for it.
    name = None
    for result in Captioner(preset, precision, engine).describe(sources, **options):
        name = next(names) if name is None else name
        yield name, result
        if result.last:
            name = None
