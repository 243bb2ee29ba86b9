"""The n-grams of the reference captions, counted once for all scores that ask for them."""

from collections.abc import Sequence

import numpy as np

from captioner.evaluation.ngrams import caption_lengths, group_equal, list_ngrams, mix


class ReferenceNgrams:
    """Which n-grams the references of each image have, and how often.

    Args:
        references: the references of I images, one or more each, words separated by white space.

    Attributes:
        sizes: (I,) int64, the number of references of each image.
        lengths: (I, R) int64, words in each reference; -1 beyond an image's references.
        images: for each order (U,) int64, the image of each of its n-grams.
        ngrams: for each order (U,) uint64, the n-gram's hash.
        counts: for each order (U, R) int32, how often each reference has it.
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
            order: 1 to 4.
            images: (M,) int64, places of images.
            ngrams: (M,) uint64, hashes.

        Returns:
            (M,) bool, whether the references have the n-gram; and for those that do, (H,) int64,
            its row in `counts` and its like.
        """
        keys = self._keys[order - 1]
        wanted = mix(ngrams, images)
        rows = np.searchsorted(keys, wanted)
        rows[rows == len(keys)] = 0
        found = keys[rows] == wanted if len(keys) else np.zeros(len(wanted), dtype=bool)
        return found, rows[found]
