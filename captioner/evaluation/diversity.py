"""How varied, how long and how well-formed captions are, apart from how true."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from captioner.text.stems import DANGLING_WORDS


@dataclass(frozen=True)
class CaptionVariety:
    """Variety and lengths of a set of captions.

    Args:
        distinct_1: different words per word.
        distinct_2: different word pairs per word pair.
        vocabulary: different words used.
        distinct_captions: share of captions among all that are different from each other.
        novel: share of captions that no training image has; None where no training captions are at
            hand.
        mean_length: words a caption.
        deviation_of_length: its standard deviation.
        shortest: words of the shortest caption.
        longest: words of the longest.
        dangling: share of captions that break off, after "a", "with" and their like.
        repetitive: share of captions that have the same pair of words twice.
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
    """Measure how varied and how long captions are.

    Args:
        captions: at least one, words separated by spaces.
        training_captions: what the system was trained on, split into words in the same way.

    Returns:
        The variety; a set of captions without any word pair has 0 distinct pairs.

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
