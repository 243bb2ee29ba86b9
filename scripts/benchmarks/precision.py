"""`benchmark.py precision`: whether captions suffer from bfloat16."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.machine import machine_facts, machine_line
from captioner.commands.errors import plain_errors
from captioner.datasets.caption_dataset import CaptionExample
from captioner.datasets.readers import read_dataset
from captioner.errors import CaptionerError
from captioner.evaluation.scores import score_captions
from captioner.evaluation.table import aligned
from captioner.presets.storage import DEFAULT_PRESET, preset_folder

_PRECISIONS = ("bfloat16", "float32")
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
    """Score a preset in bfloat16 and in float32, on the words of the data set's own captions."""
    with plain_errors():
        preset = str(preset_folder(preset))
        examples = read_dataset(dataset, images).split(split)[:limit]
        references = {
            example.image_id: [" ".join(words) for words in example.tokens] for example in examples
        }
        captions = {name: _describe(preset, name, examples, batch_size) for name in _PRECISIONS}
        scores = {name: score_captions(captions[name], references) for name in _PRECISIONS}
    halves, wholes = (captions[name] for name in _PRECISIONS)
    same = sum(halves[image] == wholes[image] for image in references)
    measured: dict[str, Any] = {
        "machine": machine_facts(),
        "preset": preset,
        "split": split,
        "pictures": len(examples),
        **{name: {metric: scores[name][metric] for metric in _METRICS} for name in _PRECISIONS},
        "identical_captions": same / len(examples),
    }
    click.echo(json.dumps(measured, indent=2) if as_json else _table(measured))


def _describe(
    preset: str, precision: str, examples: Sequence[CaptionExample], batch_size: int
) -> dict[str, str]:
    """The caption of each image, words joined by blanks."""
    from tqdm import tqdm

    from captioner.captioner import Captioner

    captioner = Captioner.from_preset(preset, precision)
    results = captioner.stream([example.path for example in examples], batch_size=batch_size)
    bar = tqdm(results, precision, len(examples), unit=" pictures", disable=None)
    captions = {}
    for example, result in zip(examples, bar, strict=True):
        if isinstance(result, CaptionerError):
            raise result
        captions[example.image_id] = " ".join(result.words)
    return captions


def _table(measured: dict[str, Any]) -> str:
    rows = []
    for metric in _METRICS:
        half, whole = (100 * measured[name][metric] for name in _PRECISIONS)
        rows.append((metric, f"{half:.2f}", f"{whole:.2f}", f"{half - whole:+.2f}"))
    title = f"{measured['pictures']:,} pictures of {measured['split']}, x 100"
    table = aligned((title, *_PRECISIONS, "difference"), rows)
    same = f"Identical captions: {100 * measured['identical_captions']:.1f} %"
    return "\n\n".join([machine_line(measured["machine"]), table, same])
