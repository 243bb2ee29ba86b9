"""Cross entropy of the next word, with label smoothing."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from captioner.decoders.locations import MASK_VALUE


class NextWordLoss(keras.losses.Loss):
    """Cross entropy against integer targets, smoothed; the mean over the words that count.

    keras.losses.SparseCategoricalCrossentropy has no label smoothing, and the categorical one
    would want one-hot targets of B * N * L * V floats.

    Args:
        label_smoothing: Share of the probability spread evenly over the vocabulary
            (Szegedy et al. 2015, https://arxiv.org/abs/1512.00567, section 7).
        reduction: "mean_with_sample_weight" divides by the sum of the weights, which is right for
            weights of 0 and 1; "mean" by their number, for weights of both signs.
        suppressed_ids: Words that have no probability, where captions are sampled without them.
            If they had any, what training takes from bad samples would flow to them, which are
            never sampled and so never punished.

    Example:
        >>> import numpy as np
        >>> float(NextWordLoss()(np.array([[[1]]]), np.zeros((1, 1, 1, 4), "float32")))  # log 4
        1.3862943649291992
    """

    def __init__(
        self,
        label_smoothing: float = 0.0,
        reduction: str = "mean_with_sample_weight",
        suppressed_ids: Sequence[int] = (),
        name: str = "next_word_loss",
    ) -> None:
        super().__init__(name=name, reduction=reduction)
        self.label_smoothing = label_smoothing
        self.suppressed_ids = tuple(suppressed_ids)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Targets int (B, N, L) and logits (B, N, L, V) to losses (B, N, L)."""
        if self.suppressed_ids:
            barred = ops.sum(ops.one_hot(self.suppressed_ids, y_pred.shape[-1]), axis=0)  # (V,)
            y_pred = y_pred + MASK_VALUE * barred
        log_normalizer = ops.logsumexp(y_pred, axis=-1)
        target = ops.take_along_axis(y_pred, ops.cast(y_true, "int32")[..., None], axis=-1)[..., 0]
        smoothed = (1 - self.label_smoothing) * target
        smoothed += self.label_smoothing * ops.mean(y_pred, axis=-1)
        return log_normalizer - smoothed
