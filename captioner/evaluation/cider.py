"""CIDEr-D, and the document frequencies that weigh its n-grams."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from captioner.errors import CaptionerError
from captioner.evaluation.ngrams import (
    ORDERS,
    NgramCounts,
    ReferenceNgrams,
    caption_lengths,
    count_ngrams,
)


@dataclass(frozen=True)
class DocumentFrequencies:
    """Document frequencies of 1-grams to 4-grams; a document is one image's references.

    Args:
        images: Number of documents, at least one.
        ngrams: Hashes of n-grams in ascending order, uint64 (G,) for each order.
        frequencies: Document frequency of each n-gram, int64 (G,) for each order.

    Example:
        >>> references = ReferenceNgrams([["a dog", "the dog"], ["a cat"]])
        >>> sorted(DocumentFrequencies.count(references).frequencies[0].tolist())
        [1, 1, 1, 2]
    """

    images: int
    ngrams: Sequence[np.ndarray]
    frequencies: Sequence[np.ndarray]

    @classmethod
    def count(cls, references: ReferenceNgrams) -> "DocumentFrequencies":
        """Count for each n-gram the images with references that contain it.

        Args:
            references: N-grams of the references of all images.

        Returns:
            Their document frequencies.
        """
        counted = [np.unique(ngrams, return_counts=True) for ngrams in references.ngrams]
        return cls(len(references.sizes), [n for n, _ in counted], [f for _, f in counted])

    def inverse(self, order: int, ngrams: np.ndarray) -> np.ndarray:
        """Look up the inverse document frequencies of n-grams.

        Args:
            order: Order of the n-grams, 1 to 4.
            ngrams: Hashes, uint64 (M,).

        Returns:
            Values log(images / frequency), float64 (M,); a frequency of 0 counts as 1.
        """
        known = self.ngrams[order - 1]
        frequency = np.ones(len(ngrams))
        if len(known):
            places = np.searchsorted(known, ngrams)
            places[places == len(known)] = 0
            hit = known[places] == ngrams
            frequency[hit] = self.frequencies[order - 1][places[hit]]
        return np.log(float(self.images)) - np.log(frequency)


_SIGMA = 6.0


class CiderD:
    """Scores any number of captions per image against that image's references.

    The references are counted once, when the scorer is made. The scores equal those of
    pycocoevalcap's `Cider`, which despite its name is CIDEr-D: clipped counts, a Gaussian penalty
    on the difference of lengths (sigma = 6), times 10. As there, length is the number of bigrams.

    Args:
        references: One or more references of each image id, words separated by white space.
        frequencies: Document frequencies; by default those of the references themselves. For
            training rewards they are counted once over the training set.

    Attributes:
        references: N-grams of the references.
        frequencies: Document frequencies in use.

    Raises:
        CaptionerError: If there are no references, or an image has none.

    Source: Vedantam, Zitnick and Parikh 2015, "CIDEr: Consensus-based Image Description
    Evaluation".

    Example:
        >>> references = {"1": ["a dog runs"], "2": ["a cat sleeps on a bed"]}
        >>> scorer = CiderD(references)
        >>> scorer.score(["1", "1"], ["a dog runs", "a cat"]).round(3).tolist()
        [7.5, 0.0]
    """

    def __init__(
        self,
        references: Mapping[str, Sequence[str]],
        frequencies: DocumentFrequencies | None = None,
    ) -> None:
        empty = [image for image, captions in references.items() if not captions]
        if empty or not references:
            raise CaptionerError(
                f"no references for {', '.join(map(str, empty[:5])) or 'any image'}: give some"
            )
        self._place = {image: place for place, image in enumerate(references)}
        self.references = ReferenceNgrams(list(references.values()))
        self.frequencies = frequencies or DocumentFrequencies.count(self.references)
        self._norms: list[np.ndarray] = []
        for order in ORDERS:
            images, counts = self.references.images[order - 1], self.references.counts[order - 1]
            inverse = self.frequencies.inverse(order, self.references.ngrams[order - 1])  # (U,)
            squares = [
                np.bincount(images, (column * inverse) ** 2, minlength=len(references))
                for column in counts.T
            ]
            self._norms.append(np.sqrt(np.stack(squares, axis=1)))  # (I, R)

    def score(self, image_ids: Sequence[str], captions: Sequence[str]) -> np.ndarray:
        """Score captions.

        Args:
            image_ids: N ids, the image of each caption; an image may occur many times.
            captions: N captions, words separated by white space.

        Returns:
            CIDEr-D from 0 to 10, float64 (N,).

        Raises:
            CaptionerError: If an image has no references.
        """
        try:
            images = np.array([self._place[image] for image in image_ids], dtype=np.int64)  # (N,)
        except KeyError as error:
            raise CaptionerError(f"no references for image {error}: give some") from error
        words = [caption.split() for caption in captions]
        bigrams = np.maximum(caption_lengths(words) - 1, 0)  # (N,)
        reference_bigrams = np.maximum(self.references.lengths[images] - 1, 0)  # (N, R)
        difference = bigrams[:, None] - reference_bigrams
        penalty = np.exp(-(difference**2) / (2 * _SIGMA**2))  # (N, R)
        similarity = np.zeros_like(penalty)
        for order, candidate in zip(ORDERS, count_ngrams(words), strict=True):
            similarity += self._cosine(order, candidate, images)
        similarity *= penalty
        sizes = self.references.sizes[images]
        return 10.0 * similarity.sum(axis=1) / (len(ORDERS) * sizes)

    def _cosine(self, order: int, candidate: NgramCounts, images: np.ndarray) -> np.ndarray:
        """Return clipped cosines of N captions with each reference of their images, (N, R)."""
        norms = self._norms[order - 1][images]  # (N, R)
        inverse = self.frequencies.inverse(order, candidate.ngram)
        weight = candidate.count * inverse  # (M,)
        squares = np.bincount(candidate.caption, weight**2, minlength=len(images))  # (N,)
        norms = norms * np.sqrt(squares)[:, None]
        found, rows = self.references.find(order, images[candidate.caption], candidate.ngram)
        caption, weight = candidate.caption[found], weight[found]  # (H,)
        reference = self.references.counts[order - 1][rows] * inverse[found][:, None]  # (H, R)
        products = np.minimum(weight[:, None], reference) * reference
        sums = [np.bincount(caption, column, minlength=len(images)) for column in products.T]
        return np.stack(sums, axis=1) / np.where(norms > 0, norms, 1.0)
