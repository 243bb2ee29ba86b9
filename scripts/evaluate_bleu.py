#!/usr/bin/env python
"""Print BLEU, ROUGE-L and CIDEr of a model on a data set, or of a file of captions.

    python scripts/evaluate_bleu.py --preset vgg16_top_down --dataset data/flickr8k
    python scripts/evaluate_bleu.py results.json --references dataset_flickr8k.json

Captions and references are tokenized as in Karpathy and Fei-Fei (2015) and in the README's table.
For METEOR, other tokenizations, and a page with images, use `captioner evaluate`.
"""

from pathlib import Path

import click

from captioner.cli.endings import plain_errors
from captioner.datasets.readers import read_dataset
from captioner.evaluation.caption_files import read_results
from captioner.evaluation.evaluation import describe_images, evaluate_captions, references_of
from captioner.evaluation.references import read_references
from captioner.evaluation.score_table import interval_text


@click.command()
@click.argument("results", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--references", type=click.Path(exists=True, path_type=Path))
@click.option("--preset", help="Name or folder of a model.")
@click.option("--dataset", type=click.Path(exists=True, path_type=Path))
@click.option("--images", type=click.Path(exists=True, path_type=Path), help="Image folder.")
@click.option("--split", default="test", show_default=True)
def main(
    results: Path | None,
    references: Path | None,
    preset: str | None,
    dataset: Path | None,
    images: Path | None,
    split: str,
) -> None:
    """Print the scores of a --preset on a --dataset, or of RESULTS against --references."""
    with plain_errors():
        if results and references:
            name, captions = results.name, read_results(results)
            truth = read_references(references, split=split, image_ids=captions)
        elif preset and dataset:
            truth, paths = references_of(read_dataset(dataset, images), split)
            name, captions = preset, describe_images([preset], paths, _complain)
        else:
            raise click.UsageError("Give --preset and --dataset, or RESULTS and --references.")
        evaluation = evaluate_captions(captions, truth.captions, name=name, tokenization="karpathy")
        click.echo(f"{name}, {split} split, {len(truth.captions)} images")
        for metric in ("BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "CIDEr"):
            score, ends = evaluation.metrics[metric].score, evaluation.intervals[metric]
            click.echo(f"{metric:8}{100 * score:6.1f}  ({interval_text(ends)})")


def _complain(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main()
