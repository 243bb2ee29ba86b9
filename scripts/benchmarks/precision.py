"""`benchmark.py precision`: whether captions suffer from bfloat16, or depend on the engine."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.machine import machine_facts, machine_line
from captioner.cli.endings import plain_errors
from captioner.datasets.dataset import Example
from captioner.datasets.readers import read_dataset
from captioner.errors import CaptionerError
from captioner.evaluation.score_table import aligned
from captioner.evaluation.scores import score_captions
from captioner.presets.storage import DEFAULT_PRESET, preset_folder
from captioner.results import Caption

_KERAS = "float32, Keras"
_SIDES = {
    "bfloat16": {"precision": "bfloat16"},
    "float32": {"precision": "float32"},
    _KERAS: {"precision": "float32", "engine": "keras"},
}
_METRICS = ("CIDEr", "BLEU-4")


@click.command()
@click.option("--preset", default=DEFAULT_PRESET, show_default=True, help="Name or folder.")
@click.option(
    "--dataset",
    required=True,
    type=click.Path(exists=True, path_type=Path),
    help="Pictures and references, as for captioner train.",
)
@click.option("--images", type=click.Path(exists=True, path_type=Path), help="Picture folder.")
@click.option("--split", default="val", show_default=True)
@click.option("--limit", type=click.IntRange(min=1), help="Only the first pictures of the split.")
@click.option("--batch-size", default=32, show_default=True, type=click.IntRange(min=1))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def precision(
    preset: str,
    dataset: Path,
    images: Path | None,
    split: str,
    limit: int | None,
    batch_size: int,
    as_json: bool,
) -> None:
    """Score a preset in bfloat16 and in float32, on the words of the data set's own captions.

    In float32 also with the Keras engine, and how many captions are the same, word for word.
    """
    with plain_errors():
        preset = str(preset_folder(preset))
        examples = read_dataset(dataset, images).split(split)[:limit]
        references = {
            example.id: [" ".join(words) for words in example.tokens] for example in examples
        }
        captions = {
            name: _describe(preset, name, options, examples, batch_size)
            for name, options in _SIDES.items()
        }
        scores = {name: score_captions(captions[name], references) for name in _SIDES}
    whole = captions["float32"]
    same = {
        name: sum(captions[name][image] == whole[image] for image in references) / len(examples)
        for name in ("bfloat16", _KERAS)
    }
    measured: dict[str, Any] = {
        "machine": machine_facts(),
        "preset": preset,
        "split": split,
        "pictures": len(examples),
        **{name: {metric: scores[name][metric] for metric in _METRICS} for name in _SIDES},
        "identical_captions": same,
    }
    click.echo(json.dumps(measured, indent=2) if as_json else _table(measured))


def _describe(
    preset: str,
    name: str,
    options: dict[str, str],
    examples: Sequence[Example],
    batch_size: int,
) -> dict[str, str]:
    """Return the caption of each image, words joined by blanks."""
    from tqdm import tqdm

    from captioner.captioner import Captioner

    captioner = Captioner.from_preset(preset, **options)
    results = captioner.stream([example.path for example in examples], batch_size=batch_size)
    bar = tqdm(results, name, len(examples), unit=" pictures", disable=None)
    return captions_by_id(examples, bar)


def captions_by_id(
    examples: Sequence[Example], results: Iterable[Caption | CaptionerError]
) -> dict[str, str]:
    """Return the words of each example's caption; raise what is an error."""
    captions = {}
    for example, result in zip(examples, results, strict=True):
        if isinstance(result, CaptionerError):
            raise result
        captions[example.id] = " ".join(result.words)
    return captions


def _table(measured: dict[str, Any]) -> str:
    rows = [
        (metric, *(f"{100 * measured[name][metric]:.2f}" for name in _SIDES)) for metric in _METRICS
    ]
    same = {"float32": 1.0, **measured["identical_captions"]}
    rows.append(("the same captions as float32", *(f"{100 * same[name]:.1f} %" for name in _SIDES)))
    title = f"{measured['pictures']:,} pictures of {measured['split']}, x 100"
    return f"{machine_line(measured['machine'])}\n\n{aligned((title, *_SIDES), rows)}"
