"""What is said about a picture or a clip."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, repr=False)
class Caption:
    """A sentence about a picture or a clip.

    Attributes:
        text: The sentence, to be read.
        words: Its words, as the decoder wrote them.
        log_prob: Natural logarithm of the probability of the sentence, its end included.
        score: What the beam search compares: `log_prob` normalised by length.
        attention: float32 (L, T, P), where the decoder looked for each of the L words, or None.
        alternatives: Further sentences about the same picture, in falling order of score.
        span: Where the clip begins and ends in its film, in seconds; None for a picture.
        confidence: Share of its content words that people would be expected to confirm, 0 to 1;
            None where the preset has not been calibrated.
        uncertain: Whether the confidence is below the least that was asked for; then the text is
            empty, and log_prob, score and confidence are those of the sentence that is withheld.
        partial: Whether the picture was cut off a little before its end, and its upper part alone
            is described.

    Example:
        >>> Caption("a dog", ("a", "dog"), -1.0, -0.6, confidence=0.5)
        Caption('a dog', confidence=0.5)
    """

    text: str
    words: tuple[str, ...]
    log_prob: float
    score: float
    attention: np.ndarray | None = None
    alternatives: tuple["Caption", ...] = ()
    span: tuple[float, float] | None = None
    confidence: float | None = None
    uncertain: bool = False
    partial: bool = False

    def __repr__(self) -> str:
        """Show what people look at; the attention alone has thousands of numbers."""
        shown = {"span": self.span, "confidence": self.confidence}
        parts = [repr(self.text), *(f"{k}={v!r}" for k, v in shown.items() if v is not None)]
        parts += [f"{name}=True" for name in ("uncertain", "partial") if getattr(self, name)]
        if self.attention is not None:
            parts.append(f"attention={self.attention.shape}")
        if self.alternatives:
            parts.append(f"alternatives={len(self.alternatives)}")
        return f"{type(self).__name__}({', '.join(parts)})"
