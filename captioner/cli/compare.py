"""`captioner compare`: compare two models, or two files of captions, with significance tests."""

import json
from pathlib import Path

import click

from captioner.cli.endings import plain_errors
from captioner.cli.evaluate import check_meteor, scoring_options, start_meteor


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option(
    "--references",
    type=click.Path(exists=True, path_type=Path),
    help="Reference captions, if A and B are files; see `captioner evaluate`.",
)
@click.option(
    "--dataset",
    type=click.Path(exists=True, path_type=Path),
    help="Images or clips with reference captions; needed if A or B is a model.",
)
@scoring_options
def compare(
    first: str,
    second: str,
    references: Path | None,
    dataset: Path | None,
    images: Path | None,
    split: str,
    tokenization: str,
    allow_missing: bool,
    meteor: bool | None,
    resamples: int,
    seed: int,
    as_json: bool,
) -> None:
    """Compare the scores of A and B on the same images, with confidence intervals.

    Each is a file of captions, as for `captioner evaluate`, or a preset. The last columns come
    from the paired bootstrap over images: the 95 % interval of the difference B - A, and the
    two-sided p-value.

    \b
    captioner compare old.jsonl new.jsonl --references captions.csv
    captioner compare vgg16_top_down mine --dataset captions.csv --split val
    """  # noqa: D301
    with plain_errors():
        from captioner.datasets.readers import read_dataset
        from captioner.evaluation.caption_files import read_results
        from captioner.evaluation.comparison import compare_captions
        from captioner.evaluation.evaluation import describe_images, references_of
        from captioner.evaluation.references import read_references

        models = [name for name in (first, second) if not Path(name).is_file()]
        if (references is None) == (dataset is None) or (models and dataset is None):
            raise click.UsageError(
                "Give --dataset for models, or --references for files of captions."
                + (f" {models[0]} is not a file." if models else "")
            )
        check_meteor(meteor)
        found = {name: read_results(name) for name in (first, second) if name not in models}
        if dataset is not None:
            data = read_dataset(dataset, images)
            for line in data.left_out():
                click.echo(line, err=True)
            truth, paths = references_of(data, split)
            for name in models:
                found[name] = describe_images(
                    [name], paths, report=lambda line: click.echo(line, err=True)
                )
        elif references is not None:
            truth = read_references(references, split=split, image_ids=found[first])
        comparison = compare_captions(
            found[first],
            found[second],
            truth.captions,
            names=(_short(first), _short(second)),
            tokenization=tokenization,
            meteor=start_meteor(meteor, truth.captions),
            allow_missing=allow_missing,
            resamples=resamples,
            seed=seed,
        )
        click.echo(json.dumps(comparison.to_json(), indent=2) if as_json else comparison.to_text())


def _short(name: str) -> str:
    """Return a name for the column header."""
    return Path(name).name if Path(name).is_file() else name
