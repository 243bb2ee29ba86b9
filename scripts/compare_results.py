#!/usr/bin/env python
"""Two files of captions for the same images: which is better, and how surely.

    python scripts/compare_results.py first.json second.json --references dataset_flickr8k.json

The last columns are those of the paired bootstrap over images: the 95 % interval of the difference
and the two-sided p-value.
"""

from pathlib import Path

import click

from captioner.cli.endings import plain_errors
from captioner.evaluation.bootstrap import paired_bootstrap
from captioner.evaluation.caption_files import read_results
from captioner.evaluation.evaluation import evaluate_captions
from captioner.evaluation.meteor import Meteor
from captioner.evaluation.references import read_references
from captioner.evaluation.score_table import comparison_table


@click.command()
@click.argument("first", type=click.Path(exists=True, path_type=Path))
@click.argument("second", type=click.Path(exists=True, path_type=Path))
@click.option("--references", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--split", default="test", show_default=True)
@click.option("--meteor/--no-meteor", default=None, help="By default where Java is installed.")
@click.option("--resamples", default=1000, show_default=True, type=click.IntRange(min=1))
@click.option("--seed", default=0, show_default=True)
def main(
    first: Path,
    second: Path,
    references: Path,
    split: str,
    meteor: bool | None,
    resamples: int,
    seed: int,
) -> None:
    """Compare FIRST and SECOND, files in the COCO results format."""
    with plain_errors():
        use_meteor = Meteor.is_available() if meteor is None else meteor
        program = Meteor() if use_meteor else None
        evaluations = []
        for path in (first, second):
            captions = read_results(path)
            truth = read_references(references, split=split, image_ids=captions)
            evaluations.append(
                evaluate_captions(
                    captions,
                    truth.captions,
                    name=path.name,
                    meteor=program,
                    resamples=resamples,
                    seed=seed,
                )
            )
        before, after = evaluations
        differences = paired_bootstrap(
            before.metrics, after.metrics, resamples=resamples, seed=seed
        )
        click.echo(comparison_table(before, after, differences))


if __name__ == "__main__":
    main()
