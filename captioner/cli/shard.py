"""`captioner shard`: write a data set of images into tar shards."""

from pathlib import Path

import click

from captioner.cli.dataset_options import strict_option
from captioner.cli.endings import plain_errors


@click.command()
@click.argument("dataset", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the shards; an unfinished run in it is resumed.",
)
@click.option("--images", type=click.Path(path_type=Path), help="Folder of the images.")
@click.option(
    "--per-shard",
    default=1000,
    show_default=True,
    type=click.IntRange(min=1),
    help="Images per tar file.",
)
@click.option(
    "--side",
    type=click.IntRange(min=32),
    help="Shrink images to so many pixels of the shorter side, as JPEG; default: copy the files.",
)
@click.option("--seed", default=1, show_default=True, help="Seed of the order of the images.")
@strict_option
def shard(
    dataset: Path,
    out: Path,
    images: Path | None,
    per_shard: int,
    side: int | None,
    seed: int,
    strict: bool,
) -> None:
    """Write the images and captions of DATASET into tar shards in WebDataset's format.

    `captioner train`, `prepare` and `batch` read the shards. A training shuffles them without
    reading all of them.
    """
    with plain_errors():
        from captioner.datasets.readers import read_dataset
        from captioner.datasets.shard_writer import write_shards

        data = read_dataset(dataset, images, strict=strict)
        for line in data.left_out():
            click.echo(line, err=True)
        written = write_shards(data, out, per_shard, side, seed)
        for fault in written.faults:
            click.echo(f"left out: {fault}", err=True)
        click.echo(
            f"{out}: {written.shards} shards, {written.bytes / 1e6:.1f} MB; "
            f"{written.images} images written now, {len(written.faults)} unreadable"
        )
