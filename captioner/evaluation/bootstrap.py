"""Scores that can be computed again for any images; their bootstrap intervals and paired test."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from captioner.errors import CaptionerError


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


_TAILS = (2.5, 97.5)  # percentiles of a 95 % interval
_AT_A_TIME = 100


@dataclass(frozen=True)
class PairedDifference:
    """The difference of two systems' scores on the same images.

    Args:
        difference: Score of the second minus score of the first.
        low: Lower end of the difference's 95 % interval.
        high: Upper end of the interval.
        p_value: Two-sided p-value: twice the share of resamples in which the difference is 0 or has
            the other sign, at most 1.
    """

    difference: float
    low: float
    high: float
    p_value: float


def resampled_sums(tables: Sequence[np.ndarray], resamples: int, seed: int) -> list[np.ndarray]:
    """Resample I of I images with replacement, many times, and sum their statistics.

    Args:
        tables: Arrays (I, S), statistics of the same I images; all are resampled alike.
        resamples: Number of resamples, B.
        seed: Seed of the random numbers.

    Returns:
        Arrays (B, S).
    """
    images = len(tables[0])
    rng = np.random.default_rng(seed)
    stacked = np.concatenate(tables, axis=1, dtype=np.float64)
    sums = []
    for start in range(0, resamples, _AT_A_TIME):
        draws = min(_AT_A_TIME, resamples - start)
        weights = rng.multinomial(images, np.full(images, 1 / images), size=draws)  # (draws, I)
        sums.append(weights.astype(np.float64) @ stacked)
    columns = np.cumsum([table.shape[1] for table in tables])[:-1]
    return np.split(np.concatenate(sums), columns, axis=1)


def confidence_intervals(
    metrics: Mapping[str, Metric], *, resamples: int = 1000, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Compute 95 % intervals of scores by the percentile bootstrap over images.

    CIDEr uses the document frequencies of all images in each resample.

    Args:
        metrics: Scores of the same images.
        resamples: Number of resamples of the images.
        seed: Seed of the random numbers; the same seed gives the same intervals.

    Returns:
        Lower and upper end for each metric.

    Source: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13.

    Example:
        >>> confidence_intervals({"m": Metric.mean(np.array([0.0, 1.0] * 50))})["m"]
        (0.4, 0.6)
    """
    sums = resampled_sums([metric.statistics for metric in metrics.values()], resamples, seed)
    intervals = {}
    for (name, metric), resampled in zip(metrics.items(), sums, strict=True):
        low, high = np.percentile(metric.combine(resampled), _TAILS)
        intervals[name] = (float(low), float(high))
    return intervals


def paired_bootstrap(
    first: Mapping[str, Metric],
    second: Mapping[str, Metric],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, PairedDifference]:
    """Test whether two systems differ on the same images, with the same resamples for both.

    Args:
        first: Metrics of the first system.
        second: Metrics of the second system, for the same images in the same order.
        resamples: Number of resamples of the images.
        seed: Seed of the random numbers.

    Returns:
        The difference for each metric that both have.

    Raises:
        CaptionerError: If the two have different numbers of images.

    Source: Koehn 2004, "Statistical Significance Tests for Machine Translation Evaluation".

    Example:
        >>> worse, better = (Metric.mean(np.arange(50.0) + bonus) for bonus in (0, 1))
        >>> paired_bootstrap({"m": worse}, {"m": better})["m"].p_value < 0.05
        True
    """
    names = [name for name in first if name in second]
    sizes = {len(metrics[name].statistics) for metrics in (first, second) for name in names}
    if len(sizes) != 1:
        raise CaptionerError("two systems are compared on the same images: give all images to both")
    tables = [metrics[name].statistics for metrics in (first, second) for name in names]
    sums = resampled_sums(tables, resamples, seed)
    differences = {}
    for name, before, after in zip(names, sums[: len(names)], sums[len(names) :], strict=True):
        difference = second[name].score - first[name].score
        drawn = second[name].combine(after) - first[name].combine(before)  # (B,)
        low, high = np.percentile(drawn, _TAILS)
        against = int(np.sum(drawn * np.sign(difference) <= 0))
        p_value = min(1.0, 2 * (against + 1) / (resamples + 1))
        differences[name] = PairedDifference(difference, float(low), float(high), p_value)
    return differences
