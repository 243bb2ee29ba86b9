"""`captioner quantize`: a smaller and faster preset, for CPUs."""

import math
from functools import partial
from pathlib import Path

import click

from captioner.commands.plain_errors import plain_errors


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
