#!/usr/bin/env python
"""Choose the beam search of a preset on the validation split.

    captioner prepare data/flickr8k --preset PRESET --out data/features/mine
    python scripts/choose_search.py PRESET --dataset data/flickr8k --features data/features/mine

Prints a table of all combinations, the best CIDEr first. METEOR is left out: it needs Java.
"""

import itertools
from pathlib import Path

import click
import numpy as np
from tqdm import tqdm

from captioner.commands.errors import plain_errors
from captioner.datasets.features import FeatureStore
from captioner.datasets.readers import read_dataset
from captioner.decoding.search import search_captions
from captioner.engines.precision import compute_policy
from captioner.engines.tensorflow_logs import tensorflow_logs_hidden
from captioner.evaluation.scores import score_captions
from captioner.evaluation.table import aligned
from captioner.presets.storage import read_preset

_BATCH = 100


@click.command()
@click.argument("preset")
@click.option("--dataset", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--features", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--split", default="val", show_default=True)
@click.option("--beam-width", "widths", multiple=True, type=int, default=(3, 5), show_default=True)
@click.option(
    "--length-power",
    "powers",
    multiple=True,
    type=float,
    default=(0.6, 0.8, 1.0),
    show_default=True,
)
@click.option(
    "--no-repeat-ngram", "ngrams", multiple=True, type=int, default=(0, 2), show_default=True
)
def main(
    preset: str,
    dataset: Path,
    features: Path,
    split: str,
    widths: tuple[int, ...],
    powers: tuple[float, ...],
    ngrams: tuple[int, ...],
) -> None:
    """Score the searches of PRESET, a bundled name or a folder, on stored features."""
    with plain_errors():
        trained = read_preset(preset)
        data = read_dataset(dataset)
        store = FeatureStore(features)
        with tensorflow_logs_hidden():
            from captioner.engines.keras import KerasEngine
            from captioner.presets.network import build_network

        encoder, decoder = build_network(trained, compute_policy())
        store.check(data, encoder.fingerprint())
        engine = KerasEngine(encoder, decoder)
        examples = [e for e in data.split(split) if e.image_id in store]
        references = {e.image_id: [" ".join(words) for words in e.tokens] for e in examples}
        rows = []
        for width, power, ngram in tqdm([*itertools.product(widths, powers, ngrams)], disable=None):
            captions = {}
            for start in range(0, len(examples), _BATCH):
                batch = examples[start : start + _BATCH]
                found = search_captions(
                    engine,
                    trained.vocabulary,
                    np.stack([store[e.image_id] for e in batch]),
                    beam_width=width,
                    length_power=power,
                    no_repeat_ngram=ngram,
                    max_length=trained.config["generation"]["max_length"],
                )
                for example, hypotheses in zip(batch, found, strict=True):
                    words = trained.vocabulary.decode(hypotheses[0].token_ids)
                    captions[example.image_id] = " ".join(words)
            scores = score_captions(captions, references)
            length = np.mean([len(caption.split()) for caption in captions.values()])
            different = len(set(captions.values())) / len(captions)
            rows.append(
                (
                    f"beam_width {width}, length_power {power:g}, no_repeat_ngram {ngram}",
                    *(f"{100 * scores[name]:.2f}" for name in ("CIDEr", "BLEU-4", "BLEU-1")),
                    f"{length:.2f}",
                    f"{100 * different:.1f} %",
                )
            )
        rows.sort(key=lambda row: -float(row[1]))
        click.echo(aligned(("search", "CIDEr", "BLEU-4", "BLEU-1", "words", "different"), rows))


if __name__ == "__main__":
    main()
