"""`captioner prepare`: run VGG16 once over a data set."""

from pathlib import Path
from typing import Any

import click

from captioner.cli.dataset_options import images_option, strict_option
from captioner.cli.endings import plain_errors
from captioner.engines.runtime import tensorflow_logs_hidden


@click.command()
@click.argument("dataset", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the feature store; an unfinished store in it is resumed.",
)
@images_option
@click.option(
    "--weights",
    default="imagenet",
    show_default=True,
    help='VGG16 weights: "imagenet" (downloaded) or a Keras .h5 file without the top.',
)
@click.option(
    "--preset",
    help="Use the encoder of this preset, a bundled name or a folder. For an activity preset, "
    "DATASET is a folder of clips with labels, and frames are read as for that preset.",
)
@click.option(
    "--grid",
    type=click.Choice(["7", "14"]),
    default="7",
    show_default=True,
    help="Locations per side of the grid.",
)
@click.option(
    "--frames",
    type=click.IntRange(min=1),
    help="Frames per clip; default: 8. An image has one.",
)
@strict_option
@click.option("--batch-size", default=32, show_default=True, type=click.IntRange(min=1))
def prepare(
    dataset: Path,
    out: Path,
    images: Path | None,
    weights: str,
    preset: str | None,
    grid: str,
    frames: int | None,
    strict: bool,
    batch_size: int,
) -> None:
    """Run VGG16 once over DATASET and keep its features for training.

    DATASET is a Karpathy JSON file, a CSV or JSONL file of (image, caption), or a folder such as
    Flickr8k's, MSVD's or MSR-VTT's. An image may be a clip.
    """
    with plain_errors():
        from captioner.datasets.readers import read_dataset
        from captioner.datasets.store import prepare_features
        from captioner.engines.runtime import compute_policy
        from captioner.presets.storage import read_preset
        from captioner.results import ACTIVITY, CAPTION

        with tensorflow_logs_hidden():
            from captioner.models.vgg16 import VGG16Encoder
            from captioner.presets.network import build_network, load_activity_network

        known = None if preset is None else read_preset(preset, task=None)
        task = CAPTION if known is None else known.task
        data = read_dataset(dataset, images, task, strict=strict)
        for line in data.left_out():
            click.echo(line, err=True)
        policy = compute_policy()
        encoder: Any
        reading = None
        if known is None:
            encoder = VGG16Encoder(grid=int(grid), weights=weights, dtype=policy)
        elif task == ACTIVITY:
            encoder = load_activity_network(known, policy).frozen
            reading = known.config["reading"]
        else:
            encoder, _ = build_network(known, policy)
        store = prepare_features(data, encoder, out, batch_size, frames, reading=reading)
        click.echo(
            f"{out}: features {store.features.shape} of {len(data.examples)} "
            f"{'clips' if data.has_clips else 'images'}, "
            f"{len(store.index['unreadable'])} unreadable"
        )
