#!/usr/bin/env python
"""Draw sixty images of coloured shapes, with captions in French and in Chinese.

    python scripts/draw_shapes.py shapes

writes the images, fr.csv and zh.csv. Ten combinations of shape, colour and ground form the split
"test": each shape, colour and ground also occurs in training, but not in the same combination.
"""

import csv
from itertools import product
from pathlib import Path

import click
import numpy as np
from PIL import Image, ImageDraw

SHAPES = {"circle": "圆形", "square": "正方形", "triangle": "三角形", "star": "星形"}
NOUNS = {"circle": "un cercle", "square": "un carré", "triangle": "un triangle"}
# Colour, its French forms for a masculine and for a feminine noun, and its Chinese name.
COLOURS = (
    ((215, 25, 30), "rouge", "rouge", "红色"),
    ((15, 15, 15), "noir", "noire", "黑色"),
    ((30, 60, 220), "bleu", "bleue", "蓝色"),
    ((250, 225, 20), "jaune", "jaune", "黄色"),
)
GROUNDS = (
    ((70, 150, 60), "sur l'herbe", "草地上"),
    ((140, 140, 145), "sur l'asphalte", "马路上"),
    ((225, 190, 130), "à la plage", "沙滩上"),
    ((245, 248, 255), "dans la neige", "雪地上"),
)
_SIDE = 224
_COUNT, _TEST, _VAL = 60, 10, 6


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--seed", default=0, show_default=True)
def main(folder: Path, seed: int) -> None:
    """Draw sixty images into FOLDER, with tables of captions in French and Chinese."""
    draw_shapes(folder, seed)
    click.echo(f"{folder}: {_COUNT} images, fr.csv, zh.csv")


def draw_shapes(folder: Path, seed: int = 0) -> None:
    """Draw the images and write the tables.

    Args:
        folder: Output folder, created if it is missing.
        seed: Seed of combinations, positions, sizes and noise.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    combinations = list(product(SHAPES, COLOURS, GROUNDS))
    tables: dict[str, list[tuple[str, str, str]]] = {"fr": [], "zh": []}
    for number, choice in enumerate(rng.permutation(len(combinations))[:_COUNT]):
        shape, (colour, masculine, feminine, chinese), (ground, where, place) = combinations[choice]
        name = f"{number:02d}.png"
        draw_shape(shape, colour, ground, rng).save(folder / name)
        said = f"Une étoile {feminine}" if shape == "star" else f"U{NOUNS[shape][1:]} {masculine}"
        split = "test" if number < _TEST else "val" if number < _TEST + _VAL else "train"
        tables["fr"].append((name, f"{said} {where}.", split))
        tables["zh"].append((name, f"{place}有一个{chinese}的{SHAPES[shape]}。", split))
    for language, rows in tables.items():
        with (folder / f"{language}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("image", "caption", "split"), *rows])


def draw_shape(
    shape: str,
    colour: tuple[int, int, int],
    ground: tuple[int, int, int],
    rng: np.random.Generator,
) -> Image.Image:
    """Draw one shape on a ground with some noise."""
    noise = rng.integers(-12, 13, (_SIDE, _SIDE, 3))
    image = Image.fromarray((np.array(ground) + noise).clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    x, y = (int(place) for place in rng.integers(90, 135, 2))
    radius = int(rng.integers(50, 75))
    box = (x - radius, y - radius, x + radius, y + radius)
    if shape == "circle":
        pen.ellipse(box, fill=colour)
    elif shape == "square":
        pen.rectangle(box, fill=colour)
    else:
        corners, inner = (3, 0.5) if shape == "triangle" else (5, 0.42)
        turns = np.arange(2 * corners) * np.pi / corners - np.pi / 2
        radii = np.where(np.arange(2 * corners) % 2, inner * radius, radius)
        points = zip(x + radii * np.cos(turns), y + radii * np.sin(turns), strict=True)
        pen.polygon([(float(across), float(down)) for across, down in points], fill=colour)
    return image


if __name__ == "__main__":
    main()
