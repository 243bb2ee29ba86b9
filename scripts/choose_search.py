#!/usr/bin/env python
"""Choose the beam search of a preset on the validation splits of the recipe that trained it.

    python scripts/choose_search.py PRESET --config vgg16_top_down

Prints a table of all combinations, the best mean CIDEr first. The mean is over the recipe's data
sets with their validation weights, on stored features. METEOR is omitted because it needs Java.
"""

import itertools
from pathlib import Path

import click
import numpy as np
from tqdm import tqdm

from captioner.captioning import CaptionHead
from captioner.cli.endings import plain_errors
from captioner.datasets.mixture import Part, read_mixture
from captioner.datasets.store import FeatureStore
from captioner.engines.runtime import compute_policy, tensorflow_logs_hidden
from captioner.errors import CaptionerError
from captioner.evaluation.score_table import aligned
from captioner.evaluation.scores import score_captions
from captioner.presets.storage import read_preset
from captioner.training.config import read_config

_BATCH = 100


@click.command()
@click.argument("preset")
@click.option("--config", required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--features",
    type=click.Path(exists=True, path_type=Path),
    help="Feature store of the preset's encoder; default: the recipe's.",
)
@click.option("--beam-width", "widths", multiple=True, type=int, default=(3, 5), show_default=True)
@click.option(
    "--length-power",
    "powers",
    multiple=True,
    type=float,
    default=(0.4, 0.7, 1.0, 1.3, 1.6),
    show_default=True,
)
@click.option(
    "--no-repeat-ngram", "ngrams", multiple=True, type=int, default=(0, 2), show_default=True
)
def main(
    preset: str,
    config: Path,
    features: Path | None,
    widths: tuple[int, ...],
    powers: tuple[float, ...],
    ngrams: tuple[int, ...],
) -> None:
    """Score search options of PRESET, a bundled name or a folder, on stored features."""
    with plain_errors():
        trained = read_preset(preset)
        recipe = read_config(config)
        with tensorflow_logs_hidden():
            from captioner.engines.keras import KerasEngine
            from captioner.presets.network import build_network

        encoder, decoder = build_network(trained, compute_policy())
        generation = trained.config["generation"]
        head = CaptionHead(KerasEngine(encoder, decoder), trained.vocabulary, generation)
        root = features or Path(recipe.features)
        parts = [
            (part, _store(part, root, encoder.fingerprint()))
            for part in read_mixture(recipe.data).parts
            if part.settings.validation and any(e.split == "val" for e in part.dataset.examples)
        ]
        weights = [part.settings.validation for part, _ in parts]
        rows = []
        for width, power, ngram in tqdm([*itertools.product(widths, powers, ngrams)], disable=None):
            search = {"beam_width": width, "length_power": power, "no_repeat_ngram": ngram}
            scores = [_score(part, store, head, search) for part, store in parts]
            means = {
                name: np.average([own[name] for own in scores], weights=weights)
                for name in ("CIDEr", "BLEU-4", "words", "different")
            }
            rows.append(
                (
                    f"beam_width {width}, length_power {power:g}, no_repeat_ngram {ngram}",
                    *(f"{100 * means[name]:.2f}" for name in ("CIDEr", "BLEU-4")),
                    *(f"{100 * own['CIDEr']:.1f} / {100 * own['BLEU-4']:.1f}" for own in scores),
                    f"{means['words']:.2f}",
                    f"{100 * means['different']:.1f} %",
                )
            )
        rows.sort(key=lambda row: -float(row[1]))
        names = [f"{part.dataset.name}: CIDEr / BLEU-4" for part, _ in parts]
        click.echo(aligned(("search", "CIDEr", "BLEU-4", *names, "words", "different"), rows))


def _store(part: Part, root: Path, fingerprint: str) -> FeatureStore:
    store = FeatureStore(root / part.settings.name if part.settings.name else root)
    store.check(part.dataset, fingerprint)
    return store


def _score(
    part: Part, store: FeatureStore, head: CaptionHead, search: dict[str, float]
) -> dict[str, float]:
    examples = [e for e in part.dataset.split("val") if e.id in store]
    captions = {}
    for start in range(0, len(examples), _BATCH):
        batch = examples[start : start + _BATCH]
        found = head.caption_features([store[e.id] for e in batch], **search)
        for example, caption in zip(batch, found, strict=True):
            words = () if isinstance(caption, CaptionerError) else caption.words
            captions[example.id] = " ".join(words)
    scores = score_captions(captions, {e.id: e.sentences for e in examples})
    lengths = [len(caption.split()) for caption in captions.values()]
    different = len(set(captions.values())) / len(captions)
    return {**scores, "words": float(np.mean(lengths)), "different": different}


if __name__ == "__main__":
    main()
