"""`caption`: say in a sentence what each picture, and each shot of a film, shows."""

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from io import BufferedIOBase, BytesIO
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from captioner import __version__
from captioner.cli.defaults import ConfiguredCommand
from captioner.cli.destination_options import (
    check_destinations,
    destination_options,
    open_destinations,
    own_suffixes,
)
from captioner.cli.endings import plain_errors
from captioner.cli.named_sources import (
    Named,
    leave_described,
    list_paths,
    path_of,
    source_finder,
)
from captioner.cli.wording_options import check_lengths, take_wording, wording_options
from captioner.errors import CaptionerError
from captioner.media.files import find_clips, find_media
from captioner.media.standard_input import PATH, StandardInput
from captioner.reports.output import FORMATS, RESUMABLE, SUBTITLES, format_of, open_report
from captioner.reports.report import LeftOut, summarize
from captioner.reports.run_record import Settings
from captioner.reports.text import escape_controls

if TYPE_CHECKING:
    from captioner.presets.storage import Preset
    from captioner.results import Result


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
@click.option(
    "--preset",
    help="Name or folder of the model; by default the bundled one for captions. By a model of "
    "activities, each clip gets a label: a folder of numbered frames is a clip, too, and "
    "--num-captions is the number of labels.",
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
    "--fetch",
    is_flag=True,
    help="Fetch files that are named by http or https addresses; by default nothing is fetched.",
)
@click.option(
    "--fetch-private",
    is_flag=True,
    help="The same, also from addresses of this machine and of local networks.",
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
    /,
    paths: tuple[str, ...],
    recursive: bool,
    all_files: bool,
    format_name: str | None,
    out: Path | None,
    whole: bool,
    every: float | None,
    overwrite: bool,
    preset: str | None,
    num_captions: int,
    beam_width: int | None,
    max_length: int | None,
    mirror: bool,
    min_confidence: float,
    batch_size: int,
    engine: str,
    precision: str,
    fetch: bool,
    fetch_private: bool,
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
    caption --preset vgg16_lstm_signs clip.mp4 --num-captions 3
    find . -name '*.png' | caption - --csv
    curl -s https://example.org/dog.jpg | caption -
    """
    short_formats = {"json": as_json, "jsonl": as_jsonl, "csv": as_csv}
    format_name = _choose_format(format_name, short_formats, out)
    wording, destinations = take_wording(others), others
    check_destinations(destinations, overwrite)
    if whole and every is not None:
        raise click.UsageError("--whole and --every at once: choose one.")
    if not paths:
        raise click.UsageError("No pictures: name files, folders or patterns, or - to read a list.")
    # Python has none where it is closed.
    stdin = StandardInput(cast(BufferedIOBase, getattr(sys.stdin, "buffer", BytesIO())))
    try:
        with plain_errors(), ExitStack() as stack:
            left_out = LeftOut(out, own_suffixes(destinations))
            loaded, folder = _read_preset(preset)
            labels = loaded.task == "activity"
            if labels and (every or beam_width or max_length or mirror or min_confidence):
                raise click.UsageError(
                    f"{folder.name} labels whole clips: leave out --every, --beam-width, "
                    "--max-length, --mirror and --min-confidence."
                )
            if labels and format_name in SUBTITLES:
                raise click.UsageError(f"{folder.name} labels whole clips: take another format.")
            if labels and any(wording.settings.values()):
                raise click.UsageError(
                    f"{folder.name} labels whole clips: leave out the options of wording."
                )
            find: Callable[..., Iterator[str]]
            if labels:
                find = partial(find_clips, recursive=recursive)
                found = find(list_paths(paths, stdin))
            else:
                find = partial(find_media, recursive=recursive, all_files=all_files)
                found = find(list_paths(paths, stdin), leave_out=left_out.add)
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
            generation = loaded.config.get("generation", {})
            check_lengths(wording, max_length or generation.get("max_length", math.inf))
            settings = Settings.of_preset(
                preset or folder.name,
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
            new = leave_described(chain([first], found), report, progress.update)
            source_of = source_finder(stdin, fetch or fetch_private, fetch_private)
            search = {"beam_width": beam_width, "max_length": max_length}
            options: dict[str, Any] = {k: v for k, v in search.items() if v is not None}
            total = failed = frames = 0
            results = _describe(
                map(source_of, new),
                loaded,
                engine,
                precision,
                every=math.inf if whole else every,
                batch_size=batch_size,
                num_captions=num_captions,
                mirror=mirror,
                min_confidence=min_confidence,
                timeout=timeout,
                **wording.describe,
                **options,
            )
            for result in results:
                path = path_of(result.source)
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
    """Return the preset and its folder."""
    from captioner.presets.storage import DEFAULT_PRESET, preset_folder, read_preset

    try:
        folder = preset_folder(name or DEFAULT_PRESET)
    except CaptionerError as error:
        raise click.BadParameter(str(error), param_hint="--preset") from error
    return read_preset(folder, task=None), folder


def _progress(paths: Sequence[str], quiet: bool, find: Callable[[], Iterator[str]]) -> Any:
    from tqdm import tqdm

    shown = not quiet and sys.stderr.isatty()
    # How much standard input lists is known at its end alone.
    total = sum(1 for _ in find()) if shown and PATH not in paths else None
    return tqdm(total=total, unit=" files", disable=not shown)


def _describe(
    sources: Iterator[Named],
    preset: "Preset",
    engine: str,
    precision: str,
    **options: Any,
) -> "Iterator[Result]":
    """Describe sources, loading the network only if there are any."""
    first = next(sources, None)
    if first is None:
        return
    from captioner.captioner import Captioner

    if "max_length" in options and "min_length" not in options:
        wanted = preset.config["generation"].get("min_length", 1)
        options["min_length"] = min(wanted, options["max_length"])
    yield from Captioner(preset, precision, engine).describe(chain([first], sources), **options)
