"""`captioner export`, `quantize` and `average`: presets in other formats, smaller, or averaged."""

import math
from functools import partial
from pathlib import Path

import click

from captioner.cli.endings import plain_errors
from captioner.engines.runtime import tensorflow_logs_hidden


@click.command()
@click.argument("preset")
@click.option(
    "--format",
    "format_name",
    required=True,
    type=click.Choice(["preset", "openvino", "onnx", "saved_model", "litert"]),
    help="preset is captioner's own, with what --engine openvino needs.",
)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--overwrite", is_flag=True, help="Replace a preset that is in --out.")
@click.option(
    "--weights",
    type=click.Path(exists=True, dir_okay=False),
    help="For a preset of activities that does not hold its VGG16: the file of it.",
)
def export(preset: str, format_name: str, out: Path, overwrite: bool, weights: str | None) -> None:
    """Write the network of PRESET, a name or a folder, to the folder --out.

    It consists of three functions: encode (frames to features), begin (features to memory and
    state) and step (word, state and memory to the best next words). What was written is run and
    compared with Keras; nothing is left of what differs. With --format preset, --out may be the
    preset's own folder, with --overwrite. A preset of activities is written so with all blocks of
    its VGG16, and then needs no other file.
    """
    with plain_errors():
        with tensorflow_logs_hidden():
            from captioner.exports.formats import export_preset
            from captioner.exports.graphs import with_graphs
            from captioner.presets.network import hold_vgg16
        from captioner.presets.storage import read_preset, write_preset
        from captioner.results import ACTIVITY, CAPTION

        read = read_preset(preset, task=None if format_name == "preset" else CAPTION)
        if weights is not None and read.task != ACTIVITY:
            raise click.UsageError("--weights is for a preset of activities.")
        if read.task == ACTIVITY:
            write_preset(out, hold_vgg16(read, weights), overwrite)
            click.echo(f"{out}: a preset that holds its VGG16")
        elif format_name == "preset":
            write_preset(out, with_graphs(read), overwrite)
            click.echo(f"{out}: a preset for both engines")
        else:
            difference = export_preset(read, format_name, out)
            click.echo(f"{out}: {format_name}, differs from Keras by {difference:.1g} at most")


@click.command()
@click.argument("preset")
@click.argument("dataset", type=click.Path(exists=True, path_type=Path))
@click.option("--images", type=click.Path(exists=True, path_type=Path), help="Picture folder.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--pictures",
    default=100,
    show_default=True,
    type=click.IntRange(min=1),
    help="From how many pictures of the train split the ranges of activations are learnt.",
)
@click.option("--overwrite", is_flag=True, help="Replace a preset that is in --out.")
def quantize(
    preset: str, dataset: Path, images: Path | None, out: Path, pictures: int, overwrite: bool
) -> None:
    """Write PRESET with a VGG16 of 8 bits to the folder --out, a preset for OpenVINO alone.

    The ranges are learnt from pictures of DATASET, what `captioner train` reads. Compare both
    presets by `captioner evaluate --split val`.
    """
    with plain_errors():
        import numpy as np

        from captioner.datasets.readers import read_dataset
        from captioner.engines.choice import build_engine
        from captioner.exports.quantization import quantize_preset
        from captioner.media.ahead import read_ahead
        from captioner.media.clip import Clip
        from captioner.media.sources import read_clips
        from captioner.presets.storage import read_preset, write_preset

        loaded = read_preset(preset)
        data = read_dataset(dataset, images)
        for line in data.left_out():
            click.echo(line, err=True)
        examples = data.split("train")
        size = build_engine(loaded, "openvino").image_size
        order = np.random.default_rng(0).permutation(len(examples))[:pictures]
        read = partial(read_clips, size=size, every=math.inf, most=1)
        frames = [
            reading.clip.frames[np.newaxis]
            for batch in read_ahead(read, [examples[row].path for row in order], batch_size=1)
            for reading in batch
            if isinstance(reading.clip, Clip)
        ]
        write_preset(out, quantize_preset(loaded, frames), overwrite)
        click.echo(f"{out}: a preset whose VGG16 has 8 bits")


@click.command()
@click.argument("presets", metavar="PRESET PRESET...", nargs=-1, required=True)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--overwrite", is_flag=True, help="Replace a preset that is in --out.")
def average(presets: tuple[str, ...], out: Path, overwrite: bool) -> None:
    """Write the mean of the weights of each PRESET to the folder --out, as one preset.

    They must have learnt from the same beginning: stages of one training, or trainings whose
    `start` is the same. Compare it with them by `captioner evaluate --split val`.
    """
    with plain_errors():
        from captioner.exports.soup import average_presets
        from captioner.presets.storage import read_preset, write_preset

        if len(presets) < 2:
            raise click.UsageError("give two presets or more: one is its own mean")
        mean = average_presets([read_preset(preset) for preset in presets])
        write_preset(out, mean, overwrite)
        click.echo(f"{out}: the mean of {len(presets)} presets")
