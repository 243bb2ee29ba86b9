"""A score as a function of sums over images, so that it can be computed for any of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Metric:
    """A score of I captions that can be computed again for any selection of the images.

    Args:
        statistics: Statistics that the score sums over images, float64 (I, S).
        combine: Function that computes scores (B,) from sums (B, S).
        image_scores: Score of each single image, float64 (I,).

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
            image_scores: Score of each image, float64 (I,).

        Returns:
            The metric.
        """
        statistics = np.stack([image_scores, np.ones_like(image_scores)], axis=1)
        return cls(statistics, lambda sums: sums[:, 0] / sums[:, 1], image_scores)

    @property
    def score(self) -> float:
        """The score of all images together."""
        return float(self.combine(self.statistics.sum(axis=0, keepdims=True))[0])
