"""Counts of n-grams in many captions at once, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain

import numpy as np

ORDERS = (1, 2, 3, 4)

# Odd 64-bit constants; multiplication by them modulo 2**64 is bijective.
_STEP = np.uint64(0x9E3779B97F4A7C15)
_SPREAD = np.uint64(0xD6E8FEB86659FD93)


@dataclass(frozen=True)
class NgramCounts:
    """The n-grams of one order in a list of captions; each n-gram once per caption.

    N-grams are 64-bit hashes, the same in every process. Among ten million different n-grams, the
    probability of any collision is below 3e-6.

    Args:
        caption: Index of the caption in the list, int64 (M,).
        ngram: Hash of the n-gram, uint64 (M,).
        count: Number of occurrences in the caption, int64 (M,).
    """

    caption: np.ndarray
    ngram: np.ndarray
    count: np.ndarray


class _WordHashes(dict[str, int]):
    """Cache of word hashes, which are computed on first use."""

    def __missing__(self, word: str) -> int:
        number = int.from_bytes(blake2b(word.encode("utf-8", "replace"), digest_size=8).digest())
        self[word] = number
        return number


_word_hashes = _WordHashes()


def mix(hashes: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Hash pairs of a hash and a number.

    Args:
        hashes: Hashes, uint64 (M,).
        numbers: Integers or hashes, (M,).

    Returns:
        Hashes of the pairs, uint64 (M,).
    """
    mixed = (hashes ^ (hashes >> np.uint64(32))) * _STEP + numbers.astype(np.uint64) * _SPREAD
    mixed = (mixed ^ (mixed >> np.uint64(29))) * _SPREAD
    return mixed ^ (mixed >> np.uint64(32))


def group_equal(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Group equal keys, like `numpy.unique` but with an unstable sort.

    Args:
        keys: Keys, uint64 (M,).

    Returns:
        Index of one member of each group, in ascending order of keys, int64 (U,); group of each
        key, int64 (M,); size of each group, int64 (U,).
    """
    order = keys.argsort()
    ascending = keys[order]
    begins = np.ones(len(keys), dtype=bool)
    begins[1:] = ascending[1:] != ascending[:-1]
    groups = np.empty(len(keys), dtype=np.int64)
    groups[order] = np.cumsum(begins) - 1
    return order[begins], groups, np.diff(np.flatnonzero(begins), append=len(keys))


def caption_lengths(words: Sequence[Sequence[str]]) -> np.ndarray:
    """Count the words of captions.

    Args:
        words: N captions, split into words.

    Returns:
        Numbers of words, int64 (N,).
    """
    return np.array([len(caption) for caption in words], dtype=np.int64)


def list_ngrams(words: Sequence[Sequence[str]]) -> list[tuple[np.ndarray, np.ndarray]]:
    """List the 1-grams to 4-grams of captions, repetitions included.

    Args:
        words: N captions, split into words.

    Returns:
        Index of the caption, int64 (M,), and hash of the n-gram, uint64 (M,), for each order from
        1 to 4.
    """
    lengths = caption_lengths(words)  # (N,)
    total = int(lengths.sum())
    lookup = _word_hashes.__getitem__
    hashes = np.fromiter(map(lookup, chain.from_iterable(words)), np.uint64, total)  # (W,)
    owner = np.repeat(np.arange(len(words)), lengths)  # (W,) caption of each word
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(total)  # (W,) words from here on
    listed = []
    grams = hashes
    for order in ORDERS:
        if order > 1:
            following = hashes[order - 1 :]
            grams = mix(grams[: len(following)], following)
        whole = left[: len(grams)] >= order
        listed.append((owner[: len(grams)][whole], grams[whole]))
    return listed


def count_ngrams(words: Sequence[Sequence[str]]) -> list[NgramCounts]:
    """Count the 1-grams to 4-grams of captions.

    Args:
        words: N captions, split into words.

    Returns:
        One `NgramCounts` for each order, 1 to 4.

    Example:
        >>> unigrams, bigrams, _, _ = count_ngrams([["a", "dog", "and", "a", "cat"]])
        >>> sorted(unigrams.count.tolist()), bigrams.count.tolist()
        ([1, 1, 1, 2], [1, 1, 1, 1])
    """
    counts = []
    for caption, ngram in list_ngrams(words):
        member, _, count = group_equal(mix(ngram, caption))
        counts.append(NgramCounts(caption[member], ngram[member], count))
    return counts


class ReferenceNgrams:
    """The n-grams in the references of each image, and their counts.

    Args:
        references: One or more references of each of I images, words separated by white space.

    Attributes:
        sizes: Number of references of each image, int64 (I,).
        lengths: Number of words of each reference, int64 (I, R); -1 beyond an image's references.
        images: Image of each n-gram, int64 (U,) for each order.
        ngrams: Hash of each n-gram, uint64 (U,) for each order.
        counts: Number of occurrences in each reference, int32 (U, R) for each order.
    """

    def __init__(self, references: Sequence[Sequence[str]]) -> None:
        self.sizes = np.array([len(captions) for captions in references], dtype=np.int64)
        width = int(self.sizes.max(initial=1))
        words = [caption.split() for group in references for caption in group]
        image = np.repeat(np.arange(len(references)), self.sizes)  # (N,)
        place = np.arange(len(words)) - np.repeat(np.cumsum(self.sizes) - self.sizes, self.sizes)
        self.lengths = np.full((len(references), width), -1, dtype=np.int64)
        self.lengths[image, place] = caption_lengths(words)
        self.images: list[np.ndarray] = []
        self.ngrams: list[np.ndarray] = []
        self.counts: list[np.ndarray] = []
        self._keys: list[np.ndarray] = []
        for caption, ngram in list_ngrams(words):
            owner = image[caption]  # (M,)
            keys = mix(ngram, owner)  # (M,)
            member, row, _ = group_equal(keys)
            cells = np.bincount(row * width + place[caption], minlength=len(member) * width)
            self._keys.append(keys[member])
            self.images.append(owner[member])
            self.ngrams.append(ngram[member])
            self.counts.append(cells.reshape(-1, width).astype(np.int32))  # (U, R)

    def find(
        self, order: int, images: np.ndarray, ngrams: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find n-grams among those of given images' references.

        Args:
            order: Order of the n-grams, 1 to 4.
            images: Indices of images, int64 (M,).
            ngrams: Hashes, uint64 (M,).

        Returns:
            True for each n-gram that the references have, bool (M,); and the rows of these n-grams
            in `counts`, `ngrams` and `images`, int64 (H,).
        """
        keys = self._keys[order - 1]
        wanted = mix(ngrams, images)
        rows = np.searchsorted(keys, wanted)
        rows[rows == len(keys)] = 0
        found = keys[rows] == wanted if len(keys) else np.zeros(len(wanted), dtype=bool)
        return found, rows[found]
