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
    help="preset is captioner's own format, with the graphs that --engine openvino needs.",
)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--overwrite", is_flag=True, help="Replace a preset that is in --out.")
@click.option(
    "--weights",
    type=click.Path(exists=True, dir_okay=False),
    help="VGG16 file, for an activity preset that does not contain its VGG16.",
)
def export(preset: str, format_name: str, out: Path, overwrite: bool, weights: str | None) -> None:
    """Write the network of PRESET, a name or a folder, to the folder --out.

    It consists of three functions: encode (frames to features), begin (features to memory and
    state) and step (token, state and memory to the best next tokens). The export is run and
    compared with Keras; if it differs, it is deleted. With --format preset and --overwrite, --out
    may be the preset's own folder. For an activity preset, --format preset includes all blocks of
    its VGG16, so that it needs no other file.
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
            raise click.UsageError("--weights is only for an activity preset.")
        if read.task == ACTIVITY:
            write_preset(out, hold_vgg16(read, weights), overwrite)
            click.echo(f"{out}: a preset that contains its VGG16")
        elif format_name == "preset":
            write_preset(out, with_graphs(read), overwrite)
            click.echo(f"{out}: a preset for both engines")
        else:
            difference = export_preset(read, format_name, out)
            click.echo(f"{out}: {format_name}, differs from Keras by at most {difference:.1g}")


@click.command()
@click.argument("preset")
@click.argument("dataset", type=click.Path(exists=True, path_type=Path))
@click.option("--images", type=click.Path(exists=True, path_type=Path), help="Image folder.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--pictures",
    default=100,
    show_default=True,
    type=click.IntRange(min=1),
    help="Number of images of the train split from which to calibrate the activation ranges.",
)
@click.option("--overwrite", is_flag=True, help="Replace a preset that is in --out.")
def quantize(
    preset: str, dataset: Path, images: Path | None, out: Path, pictures: int, overwrite: bool
) -> None:
    """Write PRESET with an 8-bit VGG16 to the folder --out; the result needs OpenVINO.

    The activation ranges are calibrated on images of DATASET, which may be any data set that
    `captioner train` reads. Compare both presets with `captioner evaluate --split val`.
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
        click.echo(f"{out}: a preset with an 8-bit VGG16")


@click.command()
@click.argument("presets", metavar="PRESET PRESET...", nargs=-1, required=True)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--share",
    "shares",
    multiple=True,
    type=click.FloatRange(min=0, min_open=True),
    help="Share of each PRESET in the mean, given once for each; default: equal shares.",
)
@click.option("--overwrite", is_flag=True, help="Replace a preset that is in --out.")
def average(
    presets: tuple[str, ...], out: Path, shares: tuple[float, ...], overwrite: bool
) -> None:
    """Write the mean of the weights of each PRESET to the folder --out, as one preset.

    They must share their starting weights: stages of one training, or trainings with the same
    `start`. Compare the mean with them by `captioner evaluate --split val`.
    """
    with plain_errors():
        from captioner.exports.soup import average_presets
        from captioner.presets.storage import read_preset, write_preset

        if len(presets) < 2:
            raise click.UsageError("give at least two presets")
        if shares and len(shares) != len(presets):
            raise click.UsageError(
                f"{len(presets)} presets need as many --share, not {len(shares)}"
            )
        mean = average_presets([read_preset(preset) for preset in presets], shares or None)
        write_preset(out, mean, overwrite)
        click.echo(f"{out}: the mean of {len(presets)} presets")
