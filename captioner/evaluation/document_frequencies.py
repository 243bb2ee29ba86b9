"""In how many images' references each n-gram occurs: what CIDEr weighs n-grams by."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from zipfile import BadZipFile

import numpy as np

from captioner.errors import CaptionerError
from captioner.evaluation.ngrams import ORDERS
from captioner.evaluation.reference_ngrams import ReferenceNgrams
from captioner.replacing import replacing


@dataclass(frozen=True)
class DocumentFrequencies:
    """Document frequencies of 1-grams to 4-grams; a document is one image's references.

    Args:
        images: the number of documents, at least one.
        ngrams: for each order (G,) uint64, hashes in ascending order.
        frequencies: for each order (G,) int64.

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
        """Count in how many of the images' references each n-gram occurs.

        Args:
            references: the n-grams of the references of all images.

        Returns:
            Their document frequencies.
        """
        counted = [np.unique(ngrams, return_counts=True) for ngrams in references.ngrams]
        return cls(len(references.sizes), [n for n, _ in counted], [f for _, f in counted])

    def inverse(self, order: int, ngrams: np.ndarray) -> np.ndarray:
        """Look up the inverse document frequencies of n-grams.

        Args:
            order: 1 to 4.
            ngrams: (M,) uint64, hashes.

        Returns:
            (M,) float64, log(images / frequency); a frequency of 0 counts as 1.
        """
        known = self.ngrams[order - 1]
        frequency = np.ones(len(ngrams))
        if len(known):
            places = np.searchsorted(known, ngrams)
            places[places == len(known)] = 0
            hit = known[places] == ngrams
            frequency[hit] = self.frequencies[order - 1][places[hit]]
        return np.log(float(self.images)) - np.log(frequency)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the frequencies to an `.npz` file, whole or not at all.

        Args:
            path: the file.

        Raises:
            CaptionerError: the file cannot be written.
        """
        arrays = {"images": np.array(self.images)}
        for order in ORDERS:
            arrays[f"ngrams_{order}"] = self.ngrams[order - 1]
            arrays[f"frequencies_{order}"] = self.frequencies[order - 1]
        with replacing(path) as partial, partial.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "DocumentFrequencies":
        """Read frequencies that `save` wrote.

        Args:
            path: the file.

        Returns:
            The frequencies.

        Raises:
            CaptionerError: the file is missing or of another kind.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(
                    int(arrays["images"]),
                    [arrays[f"ngrams_{order}"] for order in ORDERS],
                    [arrays[f"frequencies_{order}"] for order in ORDERS],
                )
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise CaptionerError(
                f"{path} holds no document frequencies that can be read: count them again"
            ) from error
