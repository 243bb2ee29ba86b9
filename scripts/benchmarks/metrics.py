#!/usr/bin/env python
"""How fast the scores are computed, beside pycocoevalcap on the same captions.

python scripts/benchmarks/metrics.py
"""

import json
import random
import time
from collections.abc import Callable

import click

from captioner.evaluation.bleu import bleu_from_statistics, bleu_statistics
from captioner.evaluation.cider import CiderD
from captioner.evaluation.ngrams import ReferenceNgrams
from captioner.evaluation.rouge import rouge_l
from captioner.evaluation.score_table import aligned

_REFERENCES = 5
_WORDS = 8000


def synthetic_captions(images: int, seed: int = 0) -> tuple[list[str], list[list[str]]]:
    """Make captions and five references an image, as long and as repetitive as people's.

    Words are drawn by Zipf's law (rank to the power of -1), lengths from 6 to 16; two thirds of a
    caption's words come from a topic that it shares with its references.
    """
    rng = random.Random(seed)
    words = [f"w{rank}" for rank in range(_WORDS)]
    weights = [1 / (rank + 1) for rank in range(_WORDS)]
    captions, references = [], []
    for _ in range(images):
        topic = rng.choices(words, weights, k=12)
        group = []
        for _ in range(_REFERENCES + 1):
            length = rng.randint(6, 16)
            common = rng.choices(words, weights, k=length)
            text = [rng.choice(topic) if rng.random() < 2 / 3 else word for word in common]
            group.append(" ".join(text))
        captions.append(group[0])
        references.append(group[1:])
    return captions, references


def best_time(function: Callable[[], object], repeats: int) -> float:
    """Seconds of the fastest of several calls."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def measure(images: int, repeats: int) -> dict[str, dict[str, float]]:
    """Time each score here and in pycocoevalcap; seconds, their ratio, and the largest error."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    captions, references = synthetic_captions(images)
    ids = [str(number) for number in range(images)]
    truth = dict(zip(ids, references, strict=True))
    hypotheses = {image: [caption] for image, caption in zip(ids, captions, strict=True)}
    scorer = CiderD(truth)

    def bleu() -> list[float]:
        statistics = bleu_statistics(captions, ReferenceNgrams(references))
        return list(bleu_from_statistics(statistics.table().sum(axis=0)))

    def rouge() -> list[float]:
        return [rouge_l(*pair) for pair in zip(captions, references, strict=True)]

    def coco_bleu() -> list[float]:
        return Bleu(4).compute_score(truth, hypotheses, verbose=0)[0]

    def coco_rouge() -> list[float]:
        return Rouge().compute_score(truth, hypotheses)[1]

    def coco_cider() -> list[float]:
        return Cider().compute_score(truth, hypotheses)[1]

    pairs: dict[str, tuple[Callable, Callable]] = {
        "BLEU-1 to BLEU-4": (bleu, coco_bleu),
        "ROUGE-L": (rouge, coco_rouge),
        "CIDEr-D, references counted anew": (
            lambda: CiderD(truth).score(ids, captions),
            coco_cider,
        ),
        "CIDEr-D, as a reward": (lambda: scorer.score(ids, captions), coco_cider),
    }
    measured = {}
    for name, (ours, peer) in pairs.items():
        error = max(abs(a - b) for a, b in zip(ours(), peer(), strict=True))
        seconds, peer_seconds = best_time(ours, repeats), best_time(peer, repeats)
        measured[name] = {
            "captioner_s": seconds,
            "pycocoevalcap_s": peer_seconds,
            "ratio": peer_seconds / seconds,
            "largest_error": float(error),
        }
    return measured


@click.command()
@click.option("--images", default=5000, show_default=True, type=click.IntRange(min=1))
@click.option("--repeats", default=3, show_default=True, type=click.IntRange(min=1))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def metrics(images: int, repeats: int, as_json: bool) -> None:
    """Time BLEU, ROUGE-L and CIDEr-D beside pycocoevalcap, on captions made up by Zipf's law."""
    measured = measure(images, repeats)
    if as_json:
        click.echo(json.dumps({"images": images, "references": _REFERENCES, **measured}, indent=2))
        return
    rows = [
        (
            name,
            f"{row['captioner_s']:.3f} s",
            f"{row['pycocoevalcap_s']:.3f} s",
            f"{row['ratio']:.1f} x",
            f"{row['largest_error']:.0e}",
        )
        for name, row in measured.items()
    ]
    heading = (
        f"{images:,} captions, {_REFERENCES} references each",
        "captioner",
        "pycocoevalcap",
        "faster",
        "largest error",
    )
    click.echo(aligned(heading, rows))


if __name__ == "__main__":
    metrics()
