"""The record of one sentence found by a search."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One complete sentence with its probability.

    Args:
        token_ids: the words, without the start and the end token.
        log_prob: sum of the natural-log probabilities of the words and of the end token.
        score: `log_prob / (len(token_ids) + 1) ** length_power`, the number that the search
            sorts by; scores compare only under the same `length_power`.
        attention: float32 (L, T, P), where the model looked when it chose each of the L words
            (T frames, P places), or None where the model does not attend.

    Example:
        >>> Hypothesis(token_ids=(4, 7), log_prob=-1.5, score=-0.5).token_ids
        (4, 7)
    """

    token_ids: tuple[int, ...]
    log_prob: float
    score: float
    attention: np.ndarray | None = field(default=None, compare=False, repr=False)
