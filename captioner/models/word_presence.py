"""Detector of the words that people would use for an image, from features of VGG16."""

from typing import Any

import keras
from keras import ops

from captioner.models.attention import MASK_VALUE, compress


class WordPresence(keras.layers.Layer):
    """Layer that predicts, for each of W words, whether the captions of an image mention it.

    A linear layer reads the mean and the maximum of the compressed features over all locations of
    all frames: the mean represents scenes, the maximum small objects.

    Args:
        words: Number of words, W.
        dropout: Share of the pooled features dropped while the detector is trained.
        kwargs: Arguments of a Keras layer.

    Call arguments:
        features: float (B, T, P, C), from `VGG16Encoder`.
        frame_mask: bool (B, T), False for padding frames; None if there are none.
        training: If True, dropout is active.

    Returns:
        Logits, float32 (B, W).

    Source: attributes as inputs of a decoder, Wu et al. 2016, https://arxiv.org/abs/1506.01144, and
    Yao et al. 2017, https://arxiv.org/abs/1611.01646.

    Example:
        >>> import numpy as np
        >>> WordPresence(words=5)(np.ones((2, 1, 49, 512))).shape
        TensorShape([2, 5])
    """

    def __init__(self, words: int, dropout: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.words = words
        policy = self.dtype_policy
        self.scale = keras.layers.LayerNormalization(dtype=policy, name="presence_scale")
        self.dropout = keras.layers.Dropout(dropout, dtype=policy, name="presence_dropout")
        # A word occurs in about one image out of a hundred; the bias starts near its logit.
        rare = keras.initializers.Constant(-4.6)
        self.logits = keras.layers.Dense(
            words, bias_initializer=rare, dtype=policy, name="presence_logits"
        )

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Create the weights for features of `input_shape[-1]` channels."""
        pooled = (None, 2 * input_shape[-1])
        self.scale.build(pooled)
        self.logits.build(pooled)
        self.built = True

    def call(self, features: Any, frame_mask: Any = None, training: bool = False) -> Any:
        """See the class."""
        values = compress(features)  # (B, T, P, C)
        if frame_mask is None:
            frame_mask = ops.ones(ops.shape(features)[:2], "bool")
        seen = ops.expand_dims(ops.expand_dims(ops.cast(frame_mask, "float32"), -1), -1)
        count = ops.maximum(ops.sum(seen, axis=(1, 2)) * ops.shape(features)[2], 1)  # (B, 1)
        mean = ops.sum(values * seen, axis=(1, 2)) / count  # (B, C)
        most = ops.max(values + (1 - seen) * MASK_VALUE, axis=(1, 2))
        most = ops.maximum(most, 0)  # compressed features are not negative
        pooled = self.scale(ops.concatenate([mean, most], axis=-1))  # (B, 2C)
        pooled = self.dropout(pooled, training=training)
        return ops.cast(self.logits(pooled), "float32")
