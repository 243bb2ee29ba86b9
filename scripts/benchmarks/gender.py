"""`benchmark.py gender`: how often a gender is said that people contradict, by how sure it is."""

from pathlib import Path
from typing import Any

import click

import captioner.captioner
from captioner.cli.endings import plain_errors
from captioner.datasets.readers import read_dataset
from captioner.evaluation.score_table import aligned
from captioner.text.wording import gender_of

_SHARES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99)


@click.command()
@click.option("--dataset", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--images", type=click.Path(exists=True, path_type=Path), help="Picture folder.")
@click.option("--split", default="val", show_default=True)
@click.option("--limit", type=click.IntRange(min=1), help="Only the first pictures of the split.")
def gender(dataset: Path, images: Path | None, split: str, limit: int | None) -> None:
    """Describe pictures, and compare the gender of captions with that of people's captions.

    A caption is contradicted where every person who names one gender names the other one.
    """
    with plain_errors():
        examples = read_dataset(dataset, images).split(split)[:limit]
        shares: list[float] = []
        weigh = captioner.captioner.gender_shares

        def weigh_and_keep(*arguments: Any) -> list[list[float]]:
            found = weigh(*arguments)
            shares.extend(own[0] for own in found)
            return found

        captioner.captioner.gender_shares = weigh_and_keep
        captions = captioner.captioner.Captioner.from_preset().generate(
            [example.path for example in examples], gender_neutral=True
        )
    cases = []
    for example, caption, share in zip(examples, captions, shares, strict=True):
        said = gender_of(caption.words)
        people = {gender_of(words) for words in example.tokens} - {None}
        if said and people:
            cases.append((share, said not in people))
    rows = []
    for least in _SHARES:
        kept = [wrong for share, wrong in cases if share >= least]
        rows.append(
            (f"{least:.2f}", str(len(kept)), f"{100 * sum(kept) / max(len(kept), 1):.1f} %")
        )
    click.echo(aligned(("share at least", "captions", "contradicted"), rows))
