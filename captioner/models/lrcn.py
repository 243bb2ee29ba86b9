"""LRCN: one LSTM reads the words, a second one reads its output and the image."""

from typing import Any

from keras import ops

from captioner.models.attention import mean_feature
from captioner.models.decoder import Decoder, run_cell


class LRCN(Decoder):
    """The two-layer factored captioning LSTM (LRCN-2f) of Donahue et al. 2015.

    The first LSTM reads only the words. The second one reads its output and, at every word, the
    mean feature of the image, or of all frames of a clip.

    Unlike the paper, the feature is the mean over a grid instead of the output of a fully connected
    layer, and is compressed by log(1 + x) and layer normalisation.

    Args:
        vocabulary_size: Number of words, including special tokens.
        kwargs: Arguments of `Decoder`.

    Source: Donahue et al. 2015, https://arxiv.org/abs/1411.4389, section 5.

    Example:
        >>> import numpy as np
        >>> decoder = LRCN(vocabulary_size=10, units=8, embedding_size=8)
        >>> decoder(np.ones((2, 1, 49, 512)), np.ones((2, 5, 7), "int32")).shape
        TensorShape([2, 5, 7, 10])
    """

    def __init__(self, vocabulary_size: int, **kwargs: Any) -> None:
        super().__init__(vocabulary_size, **kwargs)
        self.normalization = self.norm("normalization")
        self.feature_dropout = self.drop("feature_dropout")
        self.word_lstm = self.lstm("word_lstm")
        self.image_lstm = self.lstm("picture_lstm")

    def encode(self, features: Any, frame_mask: Any = None, training: bool = False) -> Any:
        """See `Decoder`: the mean feature (B, C)."""
        mean = self.normalization(mean_feature(features, frame_mask))
        return self.feature_dropout(mean, training=training)

    def initial_state(self, memory: Any) -> tuple[Any, ...]:
        """See `Decoder`: both LSTMs start with zeros."""
        return (ops.zeros((ops.shape(memory)[0], 1, self.units), self.compute_dtype),) * 4

    def cell(self, words: Any, state: Any, memory: Any) -> tuple[Any, Any, Any]:
        """See `Decoder`; there is no attention."""
        read, word_state = run_cell(self.word_lstm, words, state[:2])
        image = ops.repeat(ops.expand_dims(memory, 1), ops.shape(words)[1], axis=1)  # (B, N, C)
        output, image_state = run_cell(
            self.image_lstm, ops.concatenate([read, image], axis=-1), state[2:]
        )
        return output, (*word_state, *image_state), None
