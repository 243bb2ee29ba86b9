#!/usr/bin/env python
"""Short clips with captions, made from the pictures of a data set by a window that moves over them.

    python scripts/moving_windows.py data/flickr8k --split val --out data/moving_windows
    captioner evaluate --preset vgg16_top_down --dataset data/moving_windows --split val

A third of the clips pan, a third zoom, a third cut from one picture to another half-way. Every
clip has the captions of its pictures, in captions.jsonl beside it: what a captioner says of moving
pictures is thus scored without any films. The same seed gives the same clips.
"""

import json
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import av
import click
import numpy as np
from PIL import Image
from tqdm import tqdm

from captioner.cli.endings import plain_errors
from captioner.datasets.dataset import Example
from captioner.datasets.readers import read_dataset
from captioner.errors import CaptionerError
from captioner.evaluation.caption_files import write_whole
from captioner.media.image import load_image

KINDS = ("pan", "zoom", "cut")
FRAMES = 8
RATE = 4  # frames a second, as many as the captioner looks at
SIZE = 224  # pixels of a frame along each side; pictures are stretched, as before VGG16
_PANNING = 0.6  # side of the window that pans, as a share of the picture's
_ZOOMED = 0.4  # and of the smallest one

Window = np.ndarray  # left, top and side as shares of the picture's sides


def pan(random: np.random.Generator) -> tuple[Window, Window]:
    """First and last window of a pan: from one edge of the picture to the opposite one."""
    start, end = random.uniform(0, 1 - _PANNING, (2, 2))  # (left, top) of each
    axis = random.integers(2)
    start[axis], end[axis] = random.permutation([0, 1 - _PANNING])
    return np.array([*start, _PANNING]), np.array([*end, _PANNING])


def zoom(random: np.random.Generator) -> tuple[Window, Window]:
    """First and last window of a zoom: the whole picture and a part of it, in either order."""
    whole = np.array([0.0, 0.0, 1.0])
    part = np.array([*random.uniform(0, 1 - _ZOOMED, 2), _ZOOMED])
    return (whole, part) if random.integers(2) else (part, whole)


def move(picture: np.ndarray, start: Window, end: Window, frames: int) -> list[np.ndarray]:
    """Move a window over a picture, steadily.

    Args:
        picture: uint8 (H, W, 3).
        start: Window of the first frame.
        end: Window of the last frame.
        frames: How many, T.

    Returns:
        T frames, uint8 (SIZE, SIZE, 3).
    """
    image = Image.fromarray(picture)
    shown = []
    for left, top, side in np.linspace(start, end, frames):
        box = np.array([left, top, left + side, top + side]) * (image.size * 2)
        box = np.clip(box, 0, image.size * 2)  # the last bit of a float may lie outside
        resized = image.resize((SIZE, SIZE), Image.Resampling.BICUBIC, tuple(box))
        shown.append(np.asarray(resized))
    return shown


def write_clip(path: Path, frames: list[np.ndarray]) -> None:
    """Write frames as an MP4 file of H.264, the whole of it or nothing.

    Args:
        path: The file.
        frames: uint8 (SIZE, SIZE, 3) each.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with av.open(str(partial), "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=RATE, options={"crf": "18"})
            stream.width = stream.height = SIZE
            stream.pix_fmt = "yuv420p"
            for frame in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame)))
            container.mux(stream.encode())
        partial.replace(path)
    except OSError as error:
        raise CaptionerError(f"cannot write {path} ({error}): choose another folder") from error
    finally:
        partial.unlink(missing_ok=True)


def draw_pictures(
    examples: list[Example], random: np.random.Generator
) -> Iterator[tuple[np.ndarray, tuple[str, ...]]]:
    """Each picture once, in random order, with its captions; one that is broken is left out."""
    for place in random.permutation(len(examples)):
        try:
            picture = load_image(examples[place].path)
        except CaptionerError as error:
            click.echo(f"left out: {error}", err=True)
            continue
        yield picture, examples[place].captions


@click.command()
@click.argument("dataset", type=click.Path(exists=True, path_type=Path))
@click.option("--images", type=click.Path(exists=True, path_type=Path), help="Picture folder.")
@click.option("--split", default="val", show_default=True)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--count", default=201, show_default=True, type=click.IntRange(min=1))
@click.option("--seed", default=0, show_default=True)
def main(dataset: Path, images: Path | None, split: str, out: Path, count: int, seed: int) -> None:
    """Make --count clips from the pictures of a split of DATASET."""
    with plain_errors():
        random = np.random.default_rng(seed)
        pictures = draw_pictures(read_dataset(dataset, images).split(split), random)
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CaptionerError(f"cannot make {out} ({error.strerror}): choose another") from error
        rows = []
        for number in tqdm(range(count), unit=" clips", disable=None):
            kind = KINDS[number % len(KINDS)]
            parts = list(islice(pictures, 2 if kind == "cut" else 1))
            if not parts or (kind == "cut" and len(parts) < 2):
                raise CaptionerError(
                    f"the {split} split has pictures for {number} clips: give a smaller --count"
                )
            choose = zoom if kind == "zoom" else pan
            frames, captions = [], []
            for picture, said in parts:
                frames += move(picture, *choose(random), FRAMES // len(parts))
                captions += said
            name = f"{number:04}_{kind}.mp4"
            write_clip(out / name, frames)
            rows += [{"image": name, "caption": text, "split": split} for text in captions]
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        write_whole(out / "captions.jsonl", "".join(lines))


if __name__ == "__main__":
    main()
