"""Show and Tell: the image is the word before the first word."""

from typing import Any

import keras
from keras import ops

from captioner.models.attention import mean_feature
from captioner.models.decoder import Decoder, run_cell


class ShowAndTell(Decoder):
    """The captioning LSTM of Vinyals et al. 2015.

    The LSTM first reads the mean feature of the image, projected to the length of a word vector,
    and never sees the image again. For a clip, it reads the mean over all frames, as in the
    mean-pooling model of Venugopalan et al. 2015 (LSTM-YT).

    Args:
        vocabulary_size: Number of words, including special tokens.
        kwargs: Arguments of `Decoder`.

    Source: Vinyals et al. 2015, https://arxiv.org/abs/1411.4555; for clips Venugopalan et al. 2015,
        https://arxiv.org/abs/1412.4729.

    Example:
        >>> import numpy as np
        >>> decoder = ShowAndTell(vocabulary_size=10, units=8, embedding_size=8)
        >>> decoder(np.ones((2, 1, 49, 512)), np.ones((2, 5, 7), "int32")).shape
        TensorShape([2, 5, 7, 10])
    """

    def __init__(self, vocabulary_size: int, **kwargs: Any) -> None:
        super().__init__(vocabulary_size, **kwargs)
        self.normalization = self.norm("normalization")
        # The image is read once and must be remembered for a whole sentence: it starts with a
        # larger scale than a word, and the LSTM with a forget gate of 0.95 (+3; Keras has +1).
        louder = keras.initializers.VarianceScaling(4.0, "fan_avg")
        self.image = self.dense(self.embedding_size, "picture", kernel_initializer=louder)
        self.word_lstm = self.lstm("lstm", unit_forget_bias=False, bias_initializer=_remembering)

    def encode(self, features: Any, frame_mask: Any = None, training: bool = False) -> Any:
        """See `Decoder`: the image as a word vector (B, E)."""
        mean = self.normalization(mean_feature(features, frame_mask))  # (B, C)
        return self.image(mean)

    def initial_state(self, memory: Any) -> tuple[Any, ...]:
        """See `Decoder`: the state after the image has been read."""
        zeros = ops.zeros((ops.shape(memory)[0], 1, self.units), self.compute_dtype)
        return run_cell(self.word_lstm, ops.expand_dims(memory, 1), (zeros, zeros))[1]

    def cell(self, words: Any, state: Any, memory: Any) -> tuple[Any, Any, Any]:
        """See `Decoder`; there is no attention."""
        output, state = run_cell(self.word_lstm, words, state)
        return output, state, None


def _remembering(shape: tuple[int, ...], dtype: Any = None) -> Any:
    """Return the initial bias of the LSTM; its gates are: input, forget, candidate, output."""
    forget = ops.arange(shape[0]) // (shape[0] // 4) == 1
    return ops.where(forget, ops.cast(3.0, dtype), 0.0)
