"""What a model says about a source: a caption, or a label, which is a caption of one word."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from captioner.errors import CaptionerError

if TYPE_CHECKING:  # whoever only reads data sets needs no NumPy
    import numpy as np

CAPTION, ACTIVITY = "caption", "activity"  # what a model is for: its task
_LEAST = 1e-4  # probabilities below are rounding errors of the network


@dataclass(frozen=True, repr=False)
class Caption:
    """A sentence about an image or a clip.

    Attributes:
        text: The sentence, to be read.
        words: Its words, as the decoder wrote them.
        log_prob: Natural logarithm of the probability of the sentence, its end included.
        score: What the beam search compares: `log_prob` normalised by length.
        attention: float32 (L, T, P), where the decoder looked for each of the L words, or None.
        alternatives: Further sentences about the same image, in falling order of score.
        span: Where the clip begins and ends in its video, in seconds; None for an image.
        confidence: Share of its content words that people would be expected to confirm, 0 to 1;
            None where the preset has not been calibrated.
        uncertain: Whether the confidence is below the least that was asked for; then the text is
            empty, and log_prob, score and confidence are those of the sentence that is withheld.
        partial: Whether the image was cut off a little before its end, and its upper part alone
            is described.

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
        """Show what people look at; the attention alone has thousands of numbers."""
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
        """Show the caption in a notebook, with where the decoder looked for each word."""
        from captioner.rich_display import caption_html

        return caption_html(self)


@dataclass(frozen=True, repr=False)
class Label(Caption):
    """One of a model's labels, as the caption of a whole clip.

    Attributes:
        text: The label.
        log_prob: Natural logarithm of its probability.
        alternatives: Further labels of the same clip, in falling order of probability.
    """

    @property
    def probability(self) -> float:
        """The probability of the label among all labels, 0 to 1."""
        return math.exp(self.log_prob)

    @classmethod
    def from_probabilities(
        cls, labels: Sequence[str], probabilities: "np.ndarray", count: int = 1
    ) -> "Label":
        """Make the most probable label, with the next ones as its alternatives.

        Args:
            labels: K labels.
            probabilities: float (K,).
            count: Number of labels, the first included.

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
    """What a model says about one of several sources, or about a part of it.

    Attributes:
        source: The source itself, as it was given.
        index: Position of the source among all.
        caption: The caption, or the error that says why there is none, or why there are no more.
        last: Whether nothing more will come about this source.
        frames: Number of frames that were looked at.
        times: When each of these appears in its video, in seconds; of an image 0.
    """

    source: Any
    index: int
    caption: Caption | CaptionerError
    last: bool
    frames: int
    times: tuple[float, ...] = ()
