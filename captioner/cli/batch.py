"""`captioner batch`: describe large collections on a Ray cluster."""

import math
import sys
from typing import Any

import click

from captioner.cli.endings import plain_errors
from captioner.cli.wording_options import check_lengths, take_wording, wording_options


@click.command()
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "--out",
    required=True,
    metavar="DEST",
    help="Output folder or URL, such as s3://bucket/captions, that all workers can write to. "
    "Sources with a row in it are skipped, and rows with an error are tried again.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["parquet", "jsonl"]),
    default="parquet",
    show_default=True,
    help="Format of the files in DEST.",
)
@click.option("-r", "--recursive", is_flag=True, help="Search subfolders as well.")
@click.option("--column", help="Column of Parquet files with the images, or with their paths.")
@click.option("--overwrite", is_flag=True, help="Discard the rows in DEST.")
@click.option(
    "--address", help='Running Ray cluster, or "auto"; default: Ray runs only on this machine.'
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Number of workers; default: as many as the CPUs or GPUs allow.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="CPUs per worker.",
)
@click.option("--cpus", type=click.IntRange(min=1), help="CPUs that Ray may use without --address.")
@click.option(
    "--unit",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    help="Images per file of DEST, the maximum loss of a killed worker.",
)
@click.option(
    "--part",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=600.0,
    show_default=True,
    help="Videos of at least twice this length are described in parts; 0: no parts.",
)
@click.option("--preset", help="Name or folder of the model; default: the bundled one.")
@click.option("-n", "--num-captions", default=1, show_default=True, type=click.IntRange(min=1))
@click.option("--beam-width", type=click.IntRange(min=1), help="Default: the preset's.")
@click.option("--max-length", type=click.IntRange(min=1), help="Maximum number of words.")
@click.option("--whole", is_flag=True, help="One sentence per video instead of one per shot.")
@click.option(
    "--every",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    help="One sentence per window of this length instead of one per shot.",
)
@wording_options
@click.option("--mirror", is_flag=True, help="Also attend to mirror images, at twice the time.")
@click.option("--min-confidence", default=0.0, metavar="SHARE", type=click.FloatRange(0, 1))
@click.option("--batch-size", default=16, show_default=True, type=click.IntRange(min=1))
@click.option(
    "--engine",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "openvino", "keras"]),
    help="auto: keras if the cluster has GPUs, otherwise as for `caption`.",
)
@click.option(
    "--precision",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "bfloat16", "float32"]),
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=math.inf,
    metavar="SECONDS",
    help="Give up on a file that takes longer than this to read.",
)
@click.option(
    "--fetch-private",
    is_flag=True,
    help="Also fetch from http and https addresses of local networks, not only public ones.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no summary.")
@click.pass_context
def batch(context: click.Context, /, sources: tuple[str, ...], **given: Any) -> None:
    """Describe any number of images and videos on the machines of a Ray cluster.

    A SOURCE is an image, a video, a folder or a pattern, on a disk that all workers can read or in
    an object store (s3://bucket/photos); a tar shard of WebDataset; a Parquet file with images or
    their paths; a text file with a path or URL per line; or an http or https address.

    An unreadable file becomes a row with an error. The same command resumes an interrupted run.
    The exit code is 0 if all rows of this run are captions, 1 if not.

    \b
    captioner batch photos --recursive --out captions
    captioner batch s3://bucket/shards/ --out s3://bucket/captions --address auto
    captioner batch film.mp4 --out captions --part 300
    """  # noqa: D301
    if given["whole"] and given["every"] is not None:
        raise click.UsageError("--whole and --every at once: choose one.")
    wording = take_wording(given)
    try:
        with plain_errors():
            outcome = _run(sources, given, wording)
    except KeyboardInterrupt:
        click.echo("Interrupted: the same command resumes where it stopped.", err=True)
        context.exit(130)
    click.echo(f"{given['out']}: {outcome.rows} rows, {outcome.errors} errors")
    if not given["quiet"]:
        if outcome.skipped:
            click.echo(f"Skipped (already have rows): {outcome.skipped}", err=True)
        if outcome.changed:
            click.echo(f"Described again (changed): {outcome.changed}", err=True)
        for worker, memory in sorted(outcome.memory.items()):
            click.echo(f"Worker {worker}: {memory:.0f} MiB at most", err=True)
    context.exit(1 if outcome.errors else 0)


def _run(sources: tuple[str, ...], given: dict[str, Any], wording: Any) -> Any:
    from tqdm import tqdm

    from captioner.cluster.listing import list_items
    from captioner.cluster.pipeline import Scale, run_batch
    from captioner.cluster.worker import Job
    from captioner.presets.storage import DEFAULT_PRESET, preset_folder, read_preset
    from captioner.reports.run_record import Settings

    name = given["preset"] or DEFAULT_PRESET
    folder = preset_folder(name)
    preset = read_preset(folder, task=None)
    labels = preset.task == "activity"
    _check(preset, given, wording)
    generation = preset.config.get("generation", {})
    check_lengths(wording, given["max_length"] or generation.get("max_length", math.inf))
    names = ("num_captions", "beam_width", "max_length", "mirror", "min_confidence")
    chosen = {f"--{option.replace('_', '-')}": given[option] for option in (*names, "every")}
    chosen |= {"--whole": given["whole"], "--precision": given["precision"], **wording.settings}
    settings = Settings.of_preset(name, folder, {k: v for k, v in chosen.items() if v})
    options = {key: given[key] for key in names if given[key]}
    options |= {"batch_size": given["batch_size"], "timeout": given["timeout"], **wording.describe}
    options["every"] = math.inf if given["whole"] else given["every"]
    if given["max_length"] and "min_length" not in options:
        options["min_length"] = min(generation.get("min_length", 1), given["max_length"])
    job = Job(
        out=given["out"],
        format_name=given["format_name"],
        settings=f"{settings.sha256} {sorted(settings.options.items())}",
        preset=preset,
        engine=given["engine"],
        precision=given["precision"],
        options=options,
        allow_private=given["fetch_private"],
    )
    scale = Scale(
        *(given[key] for key in ("address", "workers", "threads", "unit", "part", "cpus"))
    )
    items = list_items(sources, recursive=given["recursive"], column=given["column"], clips=labels)
    shown = not given["quiet"] and sys.stderr.isatty()
    with tqdm(unit=" rows", disable=not shown) as bar:
        return run_batch(items, job, settings, scale, given["overwrite"], bar.update)


def _check(preset: Any, given: dict[str, Any], wording: Any) -> None:
    """Reject options that the preset does not support, before any worker starts."""
    if preset.task == "activity":
        taken = ("every", "beam_width", "max_length", "mirror", "min_confidence")
        wrong = [f"--{name.replace('_', '-')}" for name in taken if given[name]]
        wrong += [name for name, value in wording.settings.items() if value]
        if wrong:
            raise click.UsageError(f"This preset labels whole clips: leave out {', '.join(wrong)}.")
    elif given["min_confidence"] and "confidence" not in preset.config:
        raise click.UsageError("--min-confidence needs a calibrated preset: leave it out.")
