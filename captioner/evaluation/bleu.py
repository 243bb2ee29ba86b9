"""Corpus BLEU with the conventions of the COCO caption evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from captioner.evaluation.ngrams import ORDERS, ReferenceNgrams, caption_lengths, count_ngrams

# The COCO scorer's guards against division by zero; they are all the smoothing there is.
_TINY = 1e-15
_SMALL = 1e-9


@dataclass(frozen=True)
class BleuStatistics:
    """What BLEU sums over images before it divides.

    Args:
        matches: (..., 4) n-grams of the caption that a reference has, clipped to the most that any
            one reference has.
        ngrams: (..., 4) n-grams of the caption.
        length: (...) words of the caption.
        reference_length: (...) words of the reference that is closest in length.
    """

    matches: np.ndarray
    ngrams: np.ndarray
    length: np.ndarray
    reference_length: np.ndarray

    def table(self) -> np.ndarray:
        """Return the statistics as one array, (..., 10)."""
        ends = np.stack([self.length, self.reference_length], axis=-1)
        return np.concatenate([self.matches, self.ngrams, ends], axis=-1)


def bleu_statistics(
    captions: Sequence[str], references: ReferenceNgrams, images: np.ndarray | None = None
) -> BleuStatistics:
    """Count what BLEU needs, caption by caption.

    Args:
        captions: N captions, words separated by white space.
        references: the references of I images.
        images: (N,) int64, which of them each caption is about; None: the first about the first,
            the second about the second, and so on.

    Returns:
        Statistics of shape (N, 4) and (N,).
    """
    count = len(captions)
    images = np.arange(count) if images is None else images
    words = [caption.split() for caption in captions]
    length = caption_lengths(words)
    matches = np.zeros((count, len(ORDERS)))
    for order, candidate in zip(ORDERS, count_ngrams(words), strict=True):
        found, rows = references.find(order, images[candidate.caption], candidate.ngram)
        clip = references.counts[order - 1][rows].max(axis=1)  # (H,)
        matches[:, order - 1] = np.bincount(
            candidate.caption[found], np.minimum(candidate.count[found], clip), minlength=count
        )
    ngrams = np.maximum(length[:, None] - np.array(ORDERS) + 1, 0)
    # Closest length, the shorter of two equally close: doubled so that a half breaks the tie.
    lengths = references.lengths[images]  # (N, R)
    distance = 2 * np.abs(lengths - length[:, None]) + (lengths > length[:, None])
    distance = np.where(lengths < 0, np.iinfo(np.int64).max, distance)
    closest = np.take_along_axis(lengths, distance.argmin(axis=1)[:, None], axis=1)
    return BleuStatistics(matches, ngrams, length, closest[:, 0])


def bleu_from_statistics(table: np.ndarray) -> np.ndarray:
    """Compute BLEU-1 to BLEU-4 from summed statistics.

    The conventions are those of pycocoevalcap's `Bleu`: clipped n-gram precisions are summed over
    the corpus (Papineni et al. 2002); the brevity penalty compares the sum of lengths with the sum
    of the closest reference lengths, the shorter of two equally close; no smoothing but 1e-15 added
    to matches and 1e-9 to n-grams. nltk's `corpus_bleu` without smoothing is the same number where
    every caption has four words or more and every order has a match; where they part, it counts one
    4-gram for a caption of three words and gives up on a zero. So nltk checks this function in the
    tests, and is not called: its counts are for whole corpora, and intervals need them by image.

    Args:
        table: (..., 10), `BleuStatistics.table()` or sums of it over images.

    Returns:
        (..., 4) float64, BLEU-1 to BLEU-4.

    Source: Papineni, Roukos, Ward and Zhu 2002, "BLEU: a Method for Automatic Evaluation of Machine
    Translation".

    Example:
        >>> references = ReferenceNgrams([["a dog runs on grass"]])
        >>> statistics = bleu_statistics(["a dog runs on sand"], references)
        >>> bleu_from_statistics(statistics.table().sum(axis=0)).round(4).tolist()
        [0.8, 0.7746, 0.7368, 0.6687]
    """
    matches, ngrams = table[..., 0:4], table[..., 4:8]
    length, reference_length = table[..., 8], table[..., 9]
    precision = (matches + _TINY) / (ngrams + _SMALL)  # (..., 4)
    bleu = np.cumprod(precision, axis=-1) ** (1 / np.array(ORDERS))
    ratio = (length + _TINY) / (reference_length + _SMALL)
    penalty = np.where(ratio < 1, np.exp(1 - 1 / np.maximum(ratio, _TINY)), 1.0)
    return bleu * penalty[..., None]
