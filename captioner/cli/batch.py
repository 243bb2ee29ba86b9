"""`captioner batch`: describe what is too much for one process, on a Ray cluster."""

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
    help="Folder or URL of a folder, such as s3://bucket/captions, that all workers can write to. "
    "What has a row there is skipped, and rows with an error are tried again.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["parquet", "jsonl"]),
    default="parquet",
    show_default=True,
    help="Of the files in DEST.",
)
@click.option("-r", "--recursive", is_flag=True, help="Search the subfolders of folders, too.")
@click.option("--column", help="Column of Parquet files with the images, or with their paths.")
@click.option("--overwrite", is_flag=True, help="Throw away the rows that DEST holds.")
@click.option(
    "--address", help='Of a running Ray cluster, or "auto"; by default Ray runs here alone.'
)
@click.option(
    "--workers", type=click.IntRange(min=1), help="By default as many as the CPUs or GPUs allow."
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="CPUs of each worker.",
)
@click.option(
    "--cpus", type=click.IntRange(min=1), help="CPUs that Ray may use where it runs here alone."
)
@click.option(
    "--unit",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    help="Images in a file of DEST: what a killed worker loses at most.",
)
@click.option(
    "--part",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=600.0,
    show_default=True,
    help="Films of twice this length or more are described in parts; 0 for none.",
)
@click.option("--preset", help="Name or folder of the model; by default the bundled one.")
@click.option("-n", "--num-captions", default=1, show_default=True, type=click.IntRange(min=1))
@click.option("--beam-width", type=click.IntRange(min=1), help="By default the preset's.")
@click.option("--max-length", type=click.IntRange(min=1), help="Words at most.")
@click.option("--whole", is_flag=True, help="One sentence about each film, not one a shot.")
@click.option(
    "--every",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    help="One sentence about every so many seconds of a film, not one a shot.",
)
@wording_options
@click.option("--mirror", is_flag=True, help="Look at mirror images, too, at twice the time.")
@click.option("--min-confidence", default=0.0, metavar="SHARE", type=click.FloatRange(0, 1))
@click.option("--batch-size", default=16, show_default=True, type=click.IntRange(min=1))
@click.option(
    "--engine",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "openvino", "keras"]),
    help="auto is keras where the cluster has GPUs, and else as of `caption`.",
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
    help="Give up a file that takes longer than this to be read.",
)
@click.option(
    "--fetch-private",
    is_flag=True,
    help="Fetch http and https addresses of local networks, too, not of public ones alone.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no summary.")
@click.pass_context
def batch(context: click.Context, /, sources: tuple[str, ...], **given: Any) -> None:
    r"""Describe any number of images and films on the machines of a Ray cluster.

    A SOURCE is an image, a film, a folder or a pattern, on a disk that all workers see or in an
    object store (s3://bucket/photos); a tar shard as of WebDataset; a Parquet file with images or
    their paths; a text file with a path or URL a line; or an http or https address.

    What cannot be read becomes a row with an error. The same command again does what is missing.
    The exit code is 0 if all rows of this run are captions, 1 if not.

    \b
    captioner batch photos --recursive --out captions
    captioner batch s3://bucket/shards/ --out s3://bucket/captions --address auto
    captioner batch film.mp4 --out captions --part 300
    """
    if given["whole"] and given["every"] is not None:
        raise click.UsageError("--whole and --every at once: choose one.")
    wording = take_wording(given)
    try:
        with plain_errors():
            outcome = _run(sources, given, wording)
    except KeyboardInterrupt:
        click.echo("Interrupted: the same command goes on.", err=True)
        context.exit(130)
    click.echo(f"{given['out']}: {outcome.rows} rows, {outcome.errors} errors")
    if not given["quiet"]:
        if outcome.skipped:
            click.echo(f"Skipped, since they have rows: {outcome.skipped}", err=True)
        if outcome.changed:
            click.echo(f"Described anew, since they have changed: {outcome.changed}", err=True)
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
    """Refuse options that the preset does not know, before any worker begins."""
    if preset.task == "activity":
        taken = ("every", "beam_width", "max_length", "mirror", "min_confidence")
        wrong = [f"--{name.replace('_', '-')}" for name in taken if given[name]]
        wrong += [name for name, value in wording.settings.items() if value]
        if wrong:
            raise click.UsageError(f"This preset labels whole clips: leave out {', '.join(wrong)}.")
    elif given["min_confidence"] and "confidence" not in preset.config:
        raise click.UsageError("--min-confidence needs a preset with a confidence: leave it out.")
