"""ROUGE-L as the COCO caption evaluation computes it."""

from collections.abc import Sequence

_BETA = 1.2


def rouge_l(caption: str, references: Sequence[str]) -> float:
    """Score one caption by its longest common subsequence with each reference.

    As in coco-caption, precision and recall are each the maximum over the references, and recall
    has more weight (beta = 1.2).

    Args:
        caption: Caption, words separated by white space.
        references: One or more references, words separated by white space.

    Returns:
        The F-measure, 0 to 1.

    Source: Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries".

    Example:
        >>> round(rouge_l("a dog runs", ["the dog runs"]), 4)
        0.6667
    """
    words = caption.split()
    if not words:
        return 0.0
    places: dict[str, int] = {}  # word -> bits of its positions in the caption
    for place, word in enumerate(words):
        places[word] = places.get(word, 0) | 1 << place
    precision = recall = 0.0
    for reference in references:
        reference_words = reference.split()
        common = _common_subsequence(places, reference_words, len(words))
        if common:
            precision = max(precision, common / len(words))
            recall = max(recall, common / len(reference_words))
    if not precision:
        return 0.0
    return (1 + _BETA**2) * precision * recall / (recall + _BETA**2 * precision)


def _common_subsequence(places: dict[str, int], words: list[str], length: int) -> int:
    """Return the length of the longest common subsequence; a table row is the bits of one integer.

    Source: Hyyrö 2004, "Bit-parallel LCS-length Computation Revisited".
    """
    everything = (1 << length) - 1
    row = everything
    for word in words:
        here = places.get(word)
        if here:
            matched = row & here
            row = (row + matched) | (row - matched)
    return length - (row & everything).bit_count()
