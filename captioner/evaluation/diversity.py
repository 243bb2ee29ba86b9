"""Variety, length and well-formedness of captions, independent of references."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from captioner.text.english import DANGLING_WORDS


@dataclass(frozen=True)
class CaptionVariety:
    """Variety and lengths of a set of captions.

    Args:
        distinct_1: Number of different words per word.
        distinct_2: Number of different word pairs per word pair.
        vocabulary: Number of different words.
        distinct_captions: Number of different captions per caption.
        novel: Share of captions that are not in the training set; None without training captions.
        mean_length: Mean number of words per caption.
        deviation_of_length: Standard deviation of the number of words.
        shortest: Number of words of the shortest caption.
        longest: Number of words of the longest caption.
        dangling: Share of captions that break off after a word such as "a" or "with".
        repetitive: Share of captions that have the same pair of words twice.
    """

    distinct_1: float
    distinct_2: float
    vocabulary: int
    distinct_captions: float
    novel: float | None
    mean_length: float
    deviation_of_length: float
    shortest: int
    longest: int
    dangling: float
    repetitive: float


def measure_variety(
    captions: Sequence[str], training_captions: Iterable[str] | None = None
) -> CaptionVariety:
    """Measure the variety and the lengths of captions.

    Args:
        captions: One or more captions, words separated by spaces.
        training_captions: Captions of the system's training, split into words in the same way.

    Returns:
        The variety; `distinct_2` is 0 for captions without any word pair.

    Source: distinct-n: Li, Galley, Brockett, Gao and Dolan 2016, "A Diversity-Promoting Objective
    Function for Neural Conversation Models".

    Example:
        >>> measure_variety(["a dog", "a cat"], ["a dog"]).novel
        0.5
    """
    split = [caption.split() for caption in captions]
    words = [word for sentence in split for word in sentence]
    pairs_of = [list(pairwise(sentence)) for sentence in split]
    lengths = np.array([len(sentence) for sentence in split])
    pairs = [pair for sentence in pairs_of for pair in sentence]
    known = None if training_captions is None else set(training_captions)
    return CaptionVariety(
        distinct_1=len(set(words)) / max(len(words), 1),
        distinct_2=len(set(pairs)) / max(len(pairs), 1),
        vocabulary=len(set(words)),
        distinct_captions=len(set(captions)) / len(captions),
        novel=None if known is None else sum(c not in known for c in captions) / len(captions),
        mean_length=float(lengths.mean()),
        deviation_of_length=float(lengths.std()),
        shortest=int(lengths.min()),
        longest=int(lengths.max()),
        dangling=sum(not DANGLING_WORDS.isdisjoint(words[-1:]) for words in split) / len(captions),
        repetitive=sum(len(set(pairs)) < len(pairs) for pairs in pairs_of) / len(captions),
    )
