"""One measured score: what it sums over images, and how the sums become a number."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Metric:
    """A score of I captions that can be computed again for any selection of the images.

    Args:
        statistics: (I, S) float64, what the score sums over images.
        combine: makes scores (B,) of sums (B, S).
        image_scores: (I,) float64, the score of each image alone.

    Example:
        >>> Metric.mean(np.array([0.0, 0.5, 1.0])).score
        0.5
    """

    statistics: np.ndarray
    combine: Callable[[np.ndarray], np.ndarray]
    image_scores: np.ndarray

    @classmethod
    def mean(cls, image_scores: np.ndarray) -> "Metric":
        """Make a metric whose score is the mean over the images.

        Args:
            image_scores: (I,) float64.

        Returns:
            The metric.
        """
        statistics = np.stack([image_scores, np.ones_like(image_scores)], axis=1)
        return cls(statistics, lambda sums: sums[:, 0] / sums[:, 1], image_scores)

    @property
    def score(self) -> float:
        """The score of all images together."""
        return float(self.combine(self.statistics.sum(axis=0, keepdims=True))[0])
