#!/usr/bin/env python
"""BLEU-1 to BLEU-4 of a file of captions, with 95 % intervals.

    python scripts/evaluate_bleu.py results.json --references dataset_flickr8k.json

For METEOR, ROUGE-L, CIDEr-D and a page with pictures, use `captioner evaluate`.
"""

from pathlib import Path

import click

from captioner.commands.errors import plain_errors
from captioner.evaluation.evaluation import evaluate_captions
from captioner.evaluation.references import read_references
from captioner.evaluation.results import read_results
from captioner.evaluation.table import interval_text


@click.command()
@click.argument("results", type=click.Path(exists=True, path_type=Path))
@click.option("--references", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--split", default="test", show_default=True)
def main(results: Path, references: Path, split: str) -> None:
    """Print the BLEU scores of RESULTS, a file in the COCO results format."""
    with plain_errors():
        captions = read_results(results)
        truth = read_references(references, split=split, image_ids=captions)
        evaluation = evaluate_captions(captions, truth.captions, name=results.name)
        for name in ("BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4"):
            score, ends = evaluation.metrics[name].score, evaluation.intervals[name]
            click.echo(f"{name}  {100 * score:.1f}  ({interval_text(ends)})")


if __name__ == "__main__":
    main()
