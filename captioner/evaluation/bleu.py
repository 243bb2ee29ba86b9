"""Corpus BLEU with the conventions of the COCO caption evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from captioner.evaluation.ngrams import ORDERS, ReferenceNgrams, caption_lengths, count_ngrams

# The COCO scorer's guards against division by zero; there is no other smoothing.
_TINY = 1e-15
_SMALL = 1e-9


@dataclass(frozen=True)
class BleuStatistics:
    """The statistics that BLEU sums over images before it divides.

    Args:
        matches: Number of the caption's n-grams that are in a reference, (..., 4), clipped to the
            largest count in any one reference.
        ngrams: Number of n-grams of the caption, (..., 4).
        length: Number of words of the caption, (...).
        reference_length: Number of words of the reference that is closest in length, (...).
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
    """Compute the BLEU statistics of each caption.

    Args:
        captions: N captions, words separated by white space.
        references: References of I images.
        images: Index of each caption's image, int64 (N,); None if caption and image have the same
            index.

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
    # Closest length; ties go to the shorter one, by doubling the distance and adding 1 if longer.
    lengths = references.lengths[images]  # (N, R)
    distance = 2 * np.abs(lengths - length[:, None]) + (lengths > length[:, None])
    distance = np.where(lengths < 0, np.iinfo(np.int64).max, distance)
    closest = np.take_along_axis(lengths, distance.argmin(axis=1)[:, None], axis=1)
    return BleuStatistics(matches, ngrams, length, closest[:, 0])


def bleu_from_statistics(table: np.ndarray) -> np.ndarray:
    """Compute BLEU-1 to BLEU-4 from summed statistics.

    The conventions are those of pycocoevalcap's `Bleu`: clipped n-gram precisions are summed over
    the corpus (Papineni et al. 2002). The brevity penalty compares the sum of lengths with the sum
    of the closest reference lengths (the shorter one of a tie). The only smoothing is 1e-15 added
    to matches and 1e-9 to n-grams. nltk's `corpus_bleu` without smoothing returns the same number
    if every caption has four words or more and every order has a match; otherwise nltk counts one
    4-gram for a caption of three words, and returns 0 if an order has no match. The tests compare
    with nltk. It is not called here, since it counts over whole corpora, and intervals need counts
    by image.

    Args:
        table: `BleuStatistics.table()` or sums of it over images, (..., 10).

    Returns:
        BLEU-1 to BLEU-4, float64 (..., 4).

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
