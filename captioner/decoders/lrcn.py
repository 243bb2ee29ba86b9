"""LRCN: one LSTM reads the words, a second one its output and the picture."""

from typing import Any

import keras
from keras import ops

from captioner.decoders.decoder import Decoder, run_cell
from captioner.decoders.places import mean_feature


@keras.saving.register_keras_serializable("captioner")
class LRCN(Decoder):
    """The two-layer factored captioning LSTM (LRCN-2f) of Donahue et al. 2015.

    The first LSTM knows the words alone. The second one reads its output and, at every word, the
    mean feature of the picture; of a clip the mean over all frames.

    Differs from the paper in that the feature is the mean over a grid instead of a fully connected
    layer's, and is compressed by log(1 + x) and layer normalisation.

    Args:
        vocabulary_size: Number of words, special tokens included.
        units: Units of each of the two LSTMs.
        embedding_size: Length of a word vector.
        dropout: Share dropped of the word vectors, the feature and the second LSTM's outputs.
        kwargs: Those of `Decoder`.

    Source: Donahue et al. 2015, https://arxiv.org/abs/1411.4389, section 5.

    Example:
        >>> import numpy as np
        >>> decoder = LRCN(vocabulary_size=10, units=8, embedding_size=8)
        >>> decoder(np.ones((2, 1, 49, 512)), np.ones((2, 5, 7), "int32")).shape
        TensorShape([2, 5, 7, 10])
    """

    def __init__(
        self,
        vocabulary_size: int,
        units: int = 512,
        embedding_size: int = 512,
        dropout: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(vocabulary_size, units, embedding_size, dropout, **kwargs)
        policy = self.dtype_policy
        self.normalization = keras.layers.LayerNormalization(dtype=policy, name="normalization")
        self.feature_dropout = keras.layers.Dropout(dropout, dtype=policy, name="feature_dropout")
        self.word_lstm = keras.layers.LSTMCell(units, dtype=policy, name="word_lstm")
        self.picture_lstm = self.stack("picture_lstm")

    def build(
        self,
        features_shape: tuple[Any, ...],
        token_ids_shape: tuple[Any, ...] | None = None,
    ) -> None:
        """Creates the weights for features of `features_shape[-1]` channels."""
        channels = features_shape[-1]
        self.embedding.build((None, None))
        self.normalization.build((None, channels))
        self.word_lstm.build((None, self.embedding_size))
        self.picture_lstm.build((None, self.units + channels))
        self.word_logits.build((None, None, self.units))
        self.built = True

    def remember(self, features: Any, frame_mask: Any = None, training: bool = False) -> Any:
        """See `Decoder`: the mean feature (B, C)."""
        mean = self.normalization(mean_feature(features, frame_mask))
        return self.feature_dropout(mean, training=training)

    def begin(self, memory: Any) -> tuple[Any, ...]:
        """See `Decoder`: all LSTMs begin with zeros."""
        zeros = ops.zeros((ops.shape(memory)[0], 1, self.units), self.compute_dtype)
        return (zeros,) * (2 + 2 * self.layers)

    def advance(self, words: Any, state: Any, memory: Any) -> tuple[Any, Any, Any]:
        """See `Decoder`; there is no attention."""
        read, word_state = run_cell(self.word_lstm, words, state[:2])
        picture = ops.repeat(ops.expand_dims(memory, 1), ops.shape(words)[1], axis=1)  # (B, N, C)
        said, picture_state = run_cell(
            self.picture_lstm, ops.concatenate([read, picture], axis=-1), state[2:]
        )
        return said, (*word_state, *picture_state), None
