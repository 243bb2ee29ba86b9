"""What somebody does in a clip."""

import math
from dataclasses import dataclass

from captioner.caption import Caption

_LEAST = 1e-4  # probabilities below are rounding errors of the network


@dataclass(frozen=True, repr=False)
class Activity(Caption):
    """One of a model's labels, as the caption of a clip.

    Attributes:
        text: The label.
        log_prob: Natural logarithm of its probability.
        alternatives: Further labels of the same clip, in falling order of probability.
    """

    @property
    def probability(self) -> float:
        """How sure the model is, among its labels."""
        return math.exp(self.log_prob)


def make_activity(ranked: list[tuple[str, float]]) -> Activity:
    """Makes an activity of labels with their probabilities, the best first.

    Example:
        >>> wave = make_activity([("wave", 0.75), ("nod", 0.25)])
        >>> wave.text, round(wave.alternatives[0].probability, 2)
        ('wave', 0.25)
    """
    best, *others = ((label, math.log(max(probability, _LEAST))) for label, probability in ranked)
    alternatives = tuple(Activity(label, (label,), log, log) for label, log in others)
    return Activity(best[0], best[:1], best[1], best[1], alternatives=alternatives)
