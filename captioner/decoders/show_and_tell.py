"""Show and Tell: the picture is the word before the first word."""

from typing import Any

import keras
from keras import ops

from captioner.decoders.decoder import Decoder, run_cell
from captioner.decoders.places import mean_feature


@keras.saving.register_keras_serializable("captioner")
class ShowAndTell(Decoder):
    """The captioning LSTM of Vinyals et al. 2015.

    The mean feature of the picture, projected to the length of a word vector, is what the LSTM
    reads first; it never sees the picture again. Of a clip it reads the mean over all frames, as
    the mean-pooling model of Venugopalan et al. 2015 (LSTM-YT) does.

    Args:
        vocabulary_size: Number of words, special tokens included.
        units: Units of the LSTM.
        embedding_size: Length of a word vector.
        dropout: Share dropped of the word vectors and the LSTM's outputs.
        kwargs: Those of `Decoder`.

    Source: Vinyals et al. 2015, https://arxiv.org/abs/1411.4555; for clips Venugopalan et al. 2015,
        https://arxiv.org/abs/1412.4729.

    Example:
        >>> import numpy as np
        >>> decoder = ShowAndTell(vocabulary_size=10, units=8, embedding_size=8)
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
        # The picture is read once, and must then outlast a sentence: it begins louder than a word,
        # and the LSTM begins with a forget gate of 0.95 (+3, where Keras has +1).
        self.picture = keras.layers.Dense(
            embedding_size,
            kernel_initializer=keras.initializers.VarianceScaling(4.0, "fan_avg"),
            dtype=policy,
            name="picture",
        )
        self.lstm = self.stack("lstm", unit_forget_bias=False, bias_initializer=_remembering)

    def build(
        self,
        features_shape: tuple[Any, ...],
        token_ids_shape: tuple[Any, ...] | None = None,
    ) -> None:
        """Creates the weights for features of `features_shape[-1]` channels."""
        channels = features_shape[-1]
        self.embedding.build((None, None))
        self.normalization.build((None, channels))
        self.picture.build((None, channels))
        self.lstm.build((None, self.embedding_size))
        self.word_logits.build((None, None, self.units))
        self.built = True

    def remember(self, features: Any, frame_mask: Any = None, training: bool = False) -> Any:
        """See `Decoder`: the picture as a word vector (B, E)."""
        mean = self.normalization(mean_feature(features, frame_mask))  # (B, C)
        return self.picture(mean)

    def begin(self, memory: Any) -> tuple[Any, ...]:
        """See `Decoder`: the state after the picture has been read."""
        zeros = ops.zeros((ops.shape(memory)[0], 1, self.units), self.compute_dtype)
        return run_cell(self.lstm, ops.expand_dims(memory, 1), (zeros, zeros) * self.layers)[1]

    def advance(self, words: Any, state: Any, memory: Any) -> tuple[Any, Any, Any]:
        """See `Decoder`; there is no attention."""
        output, state = run_cell(self.lstm, words, state)
        return output, state, None


def _remembering(shape: tuple[int, ...], dtype: Any = None) -> Any:
    """The first bias of the LSTM, whose gates are: input, forget, candidate, output."""
    forget = ops.arange(shape[0]) // (shape[0] // 4) == 1
    return ops.where(forget, ops.cast(3.0, dtype), 0.0)
