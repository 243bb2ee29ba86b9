"""`captioner batch`: describe large collections on a Ray cluster."""

import sys
from typing import Any

import click

from captioner.cli.captioning_options import captioning_options, model_options, take_options
from captioner.cli.endings import plain_errors


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
@model_options
@captioning_options
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
    try:
        with plain_errors():
            outcome = _run(sources, given)
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


def _run(sources: tuple[str, ...], given: dict[str, Any]) -> Any:
    from tqdm import tqdm

    from captioner.cluster.listing import list_items
    from captioner.cluster.pipeline import Scale, run_batch
    from captioner.cluster.worker import Job
    from captioner.presets.storage import DEFAULT_PRESET, preset_folder, read_preset
    from captioner.reports.run_record import Settings

    name = given["preset"] or DEFAULT_PRESET
    folder = preset_folder(name)
    preset = read_preset(folder, task=None)
    chosen = take_options(given, preset, folder.name)
    changing = {**chosen.settings, "--precision": given["precision"]}
    settings = Settings.of_preset(name, folder, {k: v for k, v in changing.items() if v})
    job = Job(
        out=given["out"],
        format_name=given["format_name"],
        settings=f"{settings.sha256} {sorted(settings.options.items())}",
        preset=preset,
        engine=given["engine"],
        precision=given["precision"],
        options=chosen.describe,
        allow_private=given["fetch_private"],
    )
    scale = Scale(
        *(given[key] for key in ("address", "workers", "threads", "unit", "part", "cpus"))
    )
    labels = preset.task == "activity"
    items = list_items(sources, recursive=given["recursive"], column=given["column"], clips=labels)
    shown = not given["quiet"] and sys.stderr.isatty()
    with tqdm(unit=" rows", disable=not shown) as bar:
        return run_batch(items, job, settings, scale, given["overwrite"], bar.update)
