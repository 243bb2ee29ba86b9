"""`benchmark.py gender`: how often a gender is said that people contradict, by how sure it is."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import numpy as np

from captioner.captioner import Captioner
from captioner.captioning import CaptionHead
from captioner.cli.endings import plain_errors
from captioner.datasets.dataset import Example
from captioner.datasets.readers import read_dataset
from captioner.evaluation.score_table import aligned
from captioner.presets.storage import DEFAULT_PRESET
from captioner.search.confidence import gender_shares
from captioner.search.search import search_captions
from captioner.text.wording import gender_of

_SHARES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99)
_BATCH = 16


@click.command()
@click.option("--dataset", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--images", type=click.Path(exists=True, path_type=Path), help="Picture folder.")
@click.option("--split", default="val", show_default=True)
@click.option("--limit", type=click.IntRange(min=1), help="Only the first pictures of the split.")
@click.option("--preset", default=DEFAULT_PRESET, show_default=True, help="Name or folder.")
def gender(dataset: Path, images: Path | None, split: str, limit: int | None, preset: str) -> None:
    """Describe pictures, and compare the gender of captions with that of people's captions.

    A caption is contradicted where every person who names one gender names the other one.
    """
    with plain_errors():
        examples = read_dataset(dataset, images).split(split)[:limit]
        described = list(_describe(Captioner.from_preset(preset).writer, examples))
    named = [(words, share) for words, share in described if gender_of(words)]
    cases = []
    for example, (words, share) in zip(examples, described, strict=True):
        said = gender_of(words)
        people = {gender_of(sentence) for sentence in example.tokens} - {None}
        if said and people:
            cases.append((share, said not in people))
    rows = []
    for least in _SHARES:
        kept = [wrong for share, wrong in cases if share >= least]
        rows.append(
            (f"{least:.2f}", str(len(kept)), f"{100 * sum(kept) / max(len(kept), 1):.1f} %")
        )
    click.echo(f"{len(named)} of {len(examples)} captions name one gender; by people, {len(cases)}")
    click.echo(aligned(("share at least", "captions", "contradicted"), rows))


def _describe(
    writer: CaptionHead, examples: Sequence[Example]
) -> Iterator[tuple[list[str], float]]:
    """Yield the words about each picture, and how sure the network is of their gender, 0 to 1."""
    for first in range(0, len(examples), _BATCH):
        clips = [
            next(writer.read(example.path, every=None))
            for example in examples[first : first + _BATCH]
        ]
        frames = np.stack([clip.frames[:1] for clip in clips])  # (B, T=1, H, W, 3)
        features = writer.engine.encode(frames)  # (B, 1, P, C)
        mask = np.ones(features.shape[:2], bool)
        found = search_captions(
            writer.engine, writer.vocabulary, features, mask, **writer.generation
        )
        shares = gender_shares(writer.engine, writer.vocabulary, features, mask, found)
        for hypotheses, own in zip(found, shares, strict=True):
            yield list(writer.vocabulary.decode(hypotheses[0].token_ids)), own[0]
