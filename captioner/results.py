"""Results of a model for a source: captions, and labels, which are captions of one word."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from captioner.errors import CaptionerError

if TYPE_CHECKING:  # reading data sets does not need NumPy
    import numpy as np

CAPTION, ACTIVITY = "caption", "activity"  # the tasks of models
_LEAST = 1e-4  # smaller probabilities are rounding errors of the network


@dataclass(frozen=True, repr=False)
class Caption:
    """A sentence about an image or a clip.

    Attributes:
        text: Sentence to display.
        words: Words of the sentence, as the decoder wrote them.
        log_prob: Natural logarithm of the probability of the sentence, including its end.
        score: Score in the beam search: `log_prob` normalised by length.
        attention: Attention of the decoder for each of the L words, float32 (L, T, P), or None.
        alternatives: Further sentences about the same image, by descending score.
        span: Start and end of the clip in its video, in seconds; None for an image.
        confidence: Expected share of its content words that people would confirm, 0 to 1; None
            if the preset has not been calibrated.
        uncertain: True if the confidence is below the requested minimum; then the text is empty,
            and log_prob, score and confidence are those of the withheld sentence.
        partial: True if the image file was cut off shortly before its end, so that only its upper
            part is described.

    Example:
        >>> Caption("a dog", ("a", "dog"), -1.0, -0.6, confidence=0.5)
        Caption('a dog', confidence=0.5)
    """

    text: str
    words: tuple[str, ...]
    log_prob: float
    score: float
    attention: "np.ndarray | None" = None
    alternatives: tuple["Caption", ...] = ()
    span: tuple[float, float] | None = None
    confidence: float | None = None
    uncertain: bool = False
    partial: bool = False

    def __repr__(self) -> str:
        """Return a short form; the attention alone has thousands of numbers."""
        sure = None if self.confidence is None else round(self.confidence, 2)
        shown = {"span": self.span, "confidence": sure}
        parts = [repr(self.text), *(f"{k}={v!r}" for k, v in shown.items() if v is not None)]
        parts += [f"{name}=True" for name in ("uncertain", "partial") if getattr(self, name)]
        if self.attention is not None:
            parts.append(f"attention={self.attention.shape}")
        if self.alternatives:
            parts.append(f"alternatives={len(self.alternatives)}")
        return f"{type(self).__name__}({', '.join(parts)})"

    def _repr_html_(self) -> str:
        """Return HTML for notebooks, with the attention for each word."""
        from captioner.rich_display import caption_html

        return caption_html(self)


@dataclass(frozen=True, repr=False)
class Label(Caption):
    """One of a model's labels, as the caption of a whole clip.

    Attributes:
        text: Label.
        log_prob: Natural logarithm of its probability.
        alternatives: Further labels of the same clip, by descending probability.
    """

    @property
    def probability(self) -> float:
        """The probability of the label among all labels, 0 to 1."""
        return math.exp(self.log_prob)

    @classmethod
    def from_probabilities(
        cls, labels: Sequence[str], probabilities: "np.ndarray", count: int = 1
    ) -> "Label":
        """Create the most probable label, with the next ones as its alternatives.

        Args:
            labels: K labels.
            probabilities: Probabilities, float (K,).
            count: Number of labels, including the first.

        Example:
            >>> import numpy as np
            >>> wave = Label.from_probabilities(["nod", "wave"], np.array([0.25, 0.75]), count=2)
            >>> wave.text, round(wave.alternatives[0].probability, 2)
            ('wave', 0.25)
        """
        ranked = sorted(range(len(labels)), key=lambda place: -probabilities[place])[:count]
        best, *others = (
            (labels[place], math.log(max(float(probabilities[place]), _LEAST))) for place in ranked
        )
        alternatives = tuple(cls(label, (label,), log, log) for label, log in others)
        return cls(best[0], best[:1], best[1], best[1], alternatives=alternatives)


@dataclass(frozen=True)
class Result:
    """Result for one of several sources, or for a part of it.

    Attributes:
        source: Source as the caller passed it.
        index: Index of the source among all sources.
        caption: Caption, or the error that explains why there is none or why no more follow.
        last: True if this is the last result of this source.
        frames: Number of frames that the model used.
        times: Time of each of these frames in its video, in seconds; 0 for an image.
    """

    source: Any
    index: int
    caption: Caption | CaptionerError
    last: bool
    frames: int
    times: tuple[float, ...] = ()
