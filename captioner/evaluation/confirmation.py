"""Share of a caption that references confirm, to evaluate confidences."""

from collections.abc import Iterable, Sequence

import numpy as np

from captioner.text.english import FUNCTION_WORDS


def confirmed_share(words: Sequence[str], references: Iterable[Sequence[str]]) -> float:
    """Return the share of a caption's content words that are in any reference.

    Words are compared exactly: "running" does not confirm "runs", so the share is a lower bound of
    the true share.

    Args:
        words: Words of the caption.
        references: Words of each human caption of the image.

    Returns:
        0 to 1; 0 for a caption without content words.

    Example:
        >>> confirmed_share(["a", "dog", "on", "grass"], [["the", "dog", "runs"], ["a", "dog"]])
        0.5
    """
    content = [word for word in words if word not in FUNCTION_WORDS]
    known = {word for reference in references for word in reference}
    return sum(word in known for word in content) / len(content) if content else 0.0


def auroc(
    scores: Sequence[float] | np.ndarray, positives: Sequence[bool] | np.ndarray
) -> float | None:
    """Return the area under the ROC curve of a score as a test.

    It is the probability that a positive has a higher score than a negative; equal scores count
    half (Hanley and McNeil 1982).

    Args:
        scores: Scores (N,), higher for likely positives.
        positives: True for each positive (N,).

    Returns:
        Area from 0 to 1; 0.5 for an uninformative score; None without positives or negatives.

    Example:
        >>> auroc([0.9, 0.4, 0.4, 0.1], [True, True, False, False])
        0.875
    """
    scores, positives = np.asarray(scores), np.asarray(positives, bool)
    ours, others = scores[positives], np.sort(scores[~positives])
    if not len(ours) or not len(others):
        return None
    below = np.searchsorted(others, ours, "left") + np.searchsorted(others, ours, "right")
    return float(below.mean() / (2 * len(others)))
