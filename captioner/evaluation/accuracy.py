"""How often a label is right: over all clips, and of each label."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from captioner.errors import CaptionerError
from captioner.evaluation.table import aligned, interval_text

_Z = 1.959963984540054  # of 95 % of a normal distribution


@dataclass(frozen=True)
class AccuracyReport:
    """What came of labelling clips.

    Attributes:
        labels: K labels.
        confusion: int (K, K): clips of the label of each row that got the label of each column.
    """

    labels: tuple[str, ...]
    confusion: np.ndarray

    @property
    def accuracy(self) -> float:
        """Share of the clips that got their label."""
        return float(np.trace(self.confusion) / self.confusion.sum())

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval; see `wilson_interval`."""
        return wilson_interval(int(np.trace(self.confusion)), int(self.confusion.sum()))

    def per_label(self) -> list[tuple[str, int, float, float]]:
        """For each label its clips, and its recall and precision, 0 where there are none."""
        right = np.diag(self.confusion)
        truth, given = self.confusion.sum(1), self.confusion.sum(0)
        recall, precision = (right / np.maximum(total, 1) for total in (truth, given))
        return [
            (label, int(truth[k]), float(recall[k]), float(precision[k]))
            for k, label in enumerate(self.labels)
        ]

    def to_text(self) -> str:
        """Tables of text, which are Markdown as well."""
        right, total = int(np.trace(self.confusion)), int(self.confusion.sum())
        rows = [
            (label, str(clips), f"{100 * recall:.1f}", f"{100 * precision:.1f}")
            for label, clips, recall, precision in self.per_label()
        ]
        return "\n".join(
            [
                f"accuracy {100 * self.accuracy:.1f} % ({right} of {total} clips), "
                f"95 % interval {interval_text(self.interval)}",
                "",
                aligned(("label", "clips", "recall x 100", "precision x 100"), rows),
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold of it."""
        return {
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "clips": int(self.confusion.sum()),
            "labels": [
                {"label": label, "clips": clips, "recall": recall, "precision": precision}
                for label, clips, recall, precision in self.per_label()
            ],
            "confusion": self.confusion.tolist(),
        }


def count_confusion(
    labels: Sequence[str], truth: Sequence[str], given: Sequence[str]
) -> AccuracyReport:
    """Count which label clips have, and which they got.

    Args:
        labels: All labels, in the order of the rows and columns.
        truth: The label of each clip.
        given: What each clip got.

    Raises:
        CaptionerError: If there are no clips, or one has another label.

    Example:
        >>> count_confusion(("a", "b"), ["a", "b", "b"], ["a", "b", "a"]).confusion.tolist()
        [[1, 0], [1, 1]]
    """
    if not truth:
        raise CaptionerError("no clip could be labelled: see the errors above")
    if unknown := sorted({*truth, *given} - set(labels)):
        raise CaptionerError(
            f"the clips have labels that the model does not know: {', '.join(unknown)}; it knows "
            f"{', '.join(labels)}"
        )
    places = {label: place for place, label in enumerate(labels)}
    confusion = np.zeros((len(labels), len(labels)), int)
    for true, got in zip(truth, given, strict=True):
        confusion[places[true], places[got]] += 1
    return AccuracyReport(tuple(labels), confusion)


def wilson_interval(right: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share, by Wilson's score.

    Args:
        right: Successes.
        total: Trials, one at least.

    Source: Wilson 1927, Probable inference, the law of succession, and statistical inference.

    Example:
        >>> [round(end, 3) for end in wilson_interval(90, 100)]
        [0.826, 0.945]
    """
    share = right / total
    shrunk = 1 + _Z**2 / total
    middle = (share + _Z**2 / (2 * total)) / shrunk
    half = _Z / shrunk * (share * (1 - share) / total + _Z**2 / (4 * total**2)) ** 0.5
    return max(middle - half, 0.0), min(middle + half, 1.0)
