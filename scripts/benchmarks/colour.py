"""`benchmark.py colour`: whether captions suffer where colour profiles are not applied."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.machine import machine_facts, machine_line
from benchmarks.precision import captions_by_id
from captioner.cli.endings import plain_errors
from captioner.datasets.readers import read_dataset
from captioner.evaluation.bootstrap import paired_bootstrap
from captioner.evaluation.evaluation import evaluate_captions
from captioner.evaluation.score_table import aligned
from captioner.media.image import load_image

# From linear sRGB to the linear primaries of each space, both with white D65: the products of the
# matrices of IEC 61966-2-1, SMPTE EG 432-1 and Adobe RGB (1998), version 2005-05.
_MATRICES = {
    "Display P3": ((0.8225, 0.1774, 0.0), (0.0332, 0.9669, 0.0), (0.0171, 0.0724, 0.9108)),
    "Adobe RGB": ((0.7152, 0.2848, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0412, 0.9588)),
}
_ADOBE_GAMMA = 563 / 256


def encode(rgb: np.ndarray, space: str) -> np.ndarray:
    """Write the colours of an sRGB picture as the numbers of another space.

    Args:
        rgb: uint8 (H, W, 3).
        space: A key of `_MATRICES`.

    Returns:
        uint8 (H, W, 3): what a reader sees that applies no profile.
    """
    levels = np.arange(256) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    other = np.clip(linear[rgb] @ np.array(_MATRICES[space]).T, 0, 1)
    if space == "Adobe RGB":
        coded = other ** (1 / _ADOBE_GAMMA)
    else:
        coded = np.where(other <= 0.0031308, 12.92 * other, 1.055 * other ** (1 / 2.4) - 0.055)
    return np.rint(255 * coded).astype(np.uint8)


@click.command()
@click.option("--dataset", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--images", type=click.Path(exists=True, path_type=Path), help="Picture folder.")
@click.option("--split", default="val", show_default=True)
@click.option("--limit", type=click.IntRange(min=1), help="Only the first pictures of the split.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def colour(
    dataset: Path, images: Path | None, split: str, limit: int | None, as_json: bool
) -> None:
    """Describe pictures as they are, and as they look where a wide-gamut profile is left out."""
    with plain_errors():
        examples = read_dataset(dataset, images).split(split)[:limit]
        references = {
            example.id: [" ".join(words) for words in example.tokens] for example in examples
        }
        captions = {name: _describe(name, examples) for name in ("sRGB", *_MATRICES)}
        scores = {
            name: evaluate_captions(said, references, name=name) for name, said in captions.items()
        }
    rows: dict[str, Any] = {}
    for name in _MATRICES:
        difference = paired_bootstrap(scores["sRGB"].metrics, scores[name].metrics)["CIDEr"]
        same = [captions[name][image] == said for image, said in captions["sRGB"].items()]
        rows[name] = {
            "identical_captions": float(np.mean(same)),
            "CIDEr": scores[name].metrics["CIDEr"].score,
            "difference": difference.difference,
            "interval": (difference.low, difference.high),
        }
    measured = {
        "machine": machine_facts(),
        "split": split,
        "pictures": len(examples),
        "CIDEr": scores["sRGB"].metrics["CIDEr"].score,
        "without_profile": rows,
    }
    click.echo(json.dumps(measured, indent=2) if as_json else _table(measured))


def _describe(name: str, examples: Sequence[Any]) -> dict[str, str]:
    from tqdm import tqdm

    from captioner.captioner import Captioner

    pictures = (load_image(example.path, size=448) for example in examples)
    if name != "sRGB":
        pictures = (encode(picture, name) for picture in pictures)
    bar = tqdm(
        Captioner.from_preset().stream(pictures),
        name,
        len(examples),
        unit=" pictures",
        disable=None,
    )
    return captions_by_id(examples, bar)


def _table(measured: dict[str, Any]) -> str:
    rows = [
        (
            name,
            f"{100 * row['identical_captions']:.1f} %",
            f"{100 * row['CIDEr']:.1f}",
            f"{100 * row['difference']:+.1f} ({100 * row['interval'][0]:+.1f} to "
            f"{100 * row['interval'][1]:+.1f})",
        )
        for name, row in measured["without_profile"].items()
    ]
    title = f"{measured['pictures']:,} pictures of {measured['split']}, CIDEr x 100"
    head = (f"{title}: {100 * measured['CIDEr']:.1f}", "same captions", "CIDEr", "difference")
    return f"{machine_line(measured['machine'])}\n\n{aligned(head, rows)}"
