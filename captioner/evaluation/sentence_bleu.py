"""Smoothed BLEU of single captions, computed by NLTK."""

from collections.abc import Sequence

from captioner.errors import CaptionerError

# Names of NLTK's methods, which are numbered as in Chen and Cherry 2014.
_METHODS = {"epsilon": "method1", "add-one": "method2", "nist": "method3"}
SMOOTHINGS = tuple(_METHODS)
_WEIGHTS = ((1.0,), (1 / 2,) * 2, (1 / 3,) * 3, (1 / 4,) * 4)


def sentence_bleu(
    caption: str, references: Sequence[str], smoothing: str = "add-one"
) -> tuple[float, float, float, float]:
    """Score one caption by BLEU-1 to BLEU-4.

    Corpus BLEU sums matches over all captions before it divides. For a single caption, which seldom
    has a 4-gram of a reference, it is mostly 0. So the counts are smoothed.

    Args:
        caption: Caption, words joined by single spaces.
        references: One or more references, in the same form.
        smoothing: "add-one" adds one to matches and n-grams of order 2 and higher (Lin and Och
            2004); "epsilon" counts 0.1 instead of no match; "nist" counts 1/2, 1/4, ... for each
            order without a match, as mteval-v13a does.

    Returns:
        BLEU-1 to BLEU-4, 0 to 1. As in NLTK, a caption with fewer words than an order counts as one
        n-gram of that order, without a match.

    Raises:
        CaptionerError: If there is no such smoothing, or no reference.

    Source: Lin and Och 2004, "ORANGE: a Method for Evaluating Automatic Evaluation Metrics for
    Machine Translation"; Chen and Cherry 2014, "A Systematic Comparison of Smoothing Techniques for
    Sentence-Level BLEU".

    Example:
        >>> [round(score, 3) for score in sentence_bleu("a dog runs", ["a dog sleeps"])]
        [0.667, 0.667, 0.606, 0.577]
    """
    # NLTK takes a second to import.
    from nltk.translate.bleu_score import SmoothingFunction
    from nltk.translate.bleu_score import sentence_bleu as score

    if smoothing not in _METHODS:
        raise CaptionerError(
            f'there is no smoothing "{smoothing}": choose one of {", ".join(SMOOTHINGS)}'
        )
    if not references:
        raise CaptionerError("no references for a caption: give at least one")
    words = caption.split()
    truths = [reference.split() for reference in references]
    if not set(words).intersection(*[set().union(*truths)]):
        return (0.0, 0.0, 0.0, 0.0)
    scores = score(truths, words, _WEIGHTS, getattr(SmoothingFunction(), _METHODS[smoothing]))
    one, two, three, four = map(float, scores)
    return one, two, three, four
