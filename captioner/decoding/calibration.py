"""From the log-probability of a caption to a confidence that means something."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Calibration:
    """Estimates the share of a caption's content words that people would confirm.

    A logistic curve over the mean log-probability of a caption's tokens, its end included (Platt
    1999, with shares in place of classes). Log-probabilities themselves are no confidence: they
    grow with training, and by how much depends on how.

    Args:
        intercept: of the curve.
        slope: of the curve.

    Example:
        >>> Calibration(intercept=1.0, slope=2.0).confidence(log_prob=-5.0, words=9)
        0.5
    """

    intercept: float
    slope: float

    @classmethod
    def fit(
        cls, log_probs: Sequence[float], words: Sequence[int], shares: Sequence[float]
    ) -> "Calibration":
        """Fits the curve by maximum likelihood, to the captions of a validation split.

        Args:
            log_probs: (N,) natural-log probabilities of captions.
            words: (N,) their numbers of words.
            shares: (N,) 0 to 1, what people confirmed of each.

        Returns:
            The calibration.
        """
        x = np.asarray(log_probs) / (np.asarray(words) + 1)
        design = np.stack([np.ones_like(x), x], axis=1)  # (N, 2)
        weights = np.zeros(2)
        for _ in range(50):  # Newton's method; a handful of steps suffices
            expected = 1 / (1 + np.exp(-design @ weights))  # (N,)
            gradient = design.T @ (np.asarray(shares) - expected)
            # A little ridge: captions of one and the same probability would leave no slope.
            hessian = (design * (expected * (1 - expected))[:, None]).T @ design + 1e-6 * np.eye(2)
            weights = weights + np.linalg.solve(hessian, gradient)
        return cls(float(weights[0]), float(weights[1]))

    def confidence(self, log_prob: float, words: int) -> float:
        """Return the expected share, 0 to 1.

        Args:
            log_prob: natural-log probability of the caption.
            words: its number of words.
        """
        return float(1 / (1 + np.exp(-self.intercept - self.slope * log_prob / (words + 1))))
