#!/usr/bin/env python
"""Make short clips with captions from the images of a data set, by a moving window.

    python scripts/moving_windows.py data/flickr8k --split val --out data/moving_windows
    captioner evaluate --preset vgg16_top_down --dataset data/moving_windows --split val

A third of the clips pan, a third zoom, and a third cut from one image to another in the middle.
Each clip has the captions of its images, in captions.jsonl in the same folder. So a captioner can
be scored on moving images without any videos. The same seed produces the same clips.
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
RATE = 4  # frames/s, the sampling rate of the captioner
SIZE = 224  # pixels per side of a frame; images are stretched, as for VGG16
_PANNING = 0.6  # side of the panning window, as a share of the image's
_ZOOMED = 0.4  # side of the smallest zoom window

Window = np.ndarray  # left, top and side as shares of the image's sides


def pan(random: np.random.Generator) -> tuple[Window, Window]:
    """Return the first and last window of a pan from one edge of the image to the opposite one."""
    start, end = random.uniform(0, 1 - _PANNING, (2, 2))  # (left, top) of each
    axis = random.integers(2)
    start[axis], end[axis] = random.permutation([0, 1 - _PANNING])
    return np.array([*start, _PANNING]), np.array([*end, _PANNING])


def zoom(random: np.random.Generator) -> tuple[Window, Window]:
    """Return the first and last window of a zoom: the whole image and a part, in either order."""
    whole = np.array([0.0, 0.0, 1.0])
    part = np.array([*random.uniform(0, 1 - _ZOOMED, 2), _ZOOMED])
    return (whole, part) if random.integers(2) else (part, whole)


def move(picture: np.ndarray, start: Window, end: Window, frames: int) -> list[np.ndarray]:
    """Move a window over an image at constant speed.

    Args:
        picture: Image, uint8 (H, W, 3).
        start: Window of the first frame.
        end: Window of the last frame.
        frames: Number of frames, T.

    Returns:
        T frames, uint8 (SIZE, SIZE, 3).
    """
    image = Image.fromarray(picture)
    shown = []
    for left, top, side in np.linspace(start, end, frames):
        box = np.array([left, top, left + side, top + side]) * (image.size * 2)
        box = np.clip(box, 0, image.size * 2)  # rounding may lead outside
        resized = image.resize((SIZE, SIZE), Image.Resampling.BICUBIC, tuple(box))
        shown.append(np.asarray(resized))
    return shown


def write_clip(path: Path, frames: list[np.ndarray]) -> None:
    """Write frames as an MP4 file with H.264, atomically.

    Args:
        path: Output file.
        frames: Frames, uint8 (SIZE, SIZE, 3) each.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with av.open(str(partial), "w", format="mp4") as container:
            # On a busy machine, x264's lookahead thread gives other bytes now and then.
            options = {"crf": "18", "x264-params": "sync-lookahead=0"}
            stream = container.add_stream("libx264", rate=RATE, options=options)
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
    """Yield each image once, in random order, with its captions; skip broken images."""
    for place in random.permutation(len(examples)):
        try:
            picture = load_image(examples[place].path)
        except CaptionerError as error:
            click.echo(f"left out: {error}", err=True)
            continue
        yield picture, examples[place].captions


@click.command()
@click.argument("dataset", type=click.Path(exists=True, path_type=Path))
@click.option("--images", type=click.Path(exists=True, path_type=Path), help="Image folder.")
@click.option("--split", default="val", show_default=True)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--count", default=201, show_default=True, type=click.IntRange(min=1))
@click.option("--seed", default=0, show_default=True)
def main(dataset: Path, images: Path | None, split: str, out: Path, count: int, seed: int) -> None:
    """Make --count clips from the images of a split of DATASET."""
    with plain_errors():
        random = np.random.default_rng(seed)
        pictures = draw_pictures(read_dataset(dataset, images).split(split), random)
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CaptionerError(
                f"cannot create {out} ({error.strerror}): choose another folder"
            ) from error
        rows = []
        for number in tqdm(range(count), unit=" clips", disable=None):
            kind = KINDS[number % len(KINDS)]
            parts = list(islice(pictures, 2 if kind == "cut" else 1))
            if not parts or (kind == "cut" and len(parts) < 2):
                raise CaptionerError(
                    f"the {split} split has images for only {number} clips: give a smaller --count"
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
