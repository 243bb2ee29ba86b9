"""Show, Attend and Tell: the LSTM looks at the places of the picture before each word."""

from typing import Any

import keras
from keras import ops

from captioner.decoders.decoder import Decoder, run_cell
from captioner.decoders.places import NEVER, flatten_places, mean_place
from captioner.text.vocabulary import Vocabulary


@keras.saving.register_keras_serializable("captioner")
class ShowAttendAndTell(Decoder):
    """The captioning LSTM with soft attention of Xu et al. 2015.

    A tanh network compares each place with the LSTM's last state; the LSTM reads the word and the
    attended feature, scaled by a gate; word vector, state and feature together predict the word.

    Differs from the paper in that features are compressed by log(1 + x) and layer normalisation,
    and dropped out; and in that the tanh network, which costs B * N * T * P * `attention_units`
    tanh a word and thus most of the time on a CPU, has a size of its own.

    Args:
        vocabulary_size: Number of words, special tokens included.
        units: Units of the LSTM.
        embedding_size: Length of a word vector, and of the output.
        dropout: Share dropped of the word vectors, the features and the output.
        attention_units: Units of the tanh network, A.
        doubly_stochastic: Weight of the paper's term (equation 14) that has the attention to each
            place sum to 1 over the words of a sentence; the paper's is 1, and 0 leaves it out.
        kwargs: Those of `Decoder`.

    Source: Xu et al. 2015, https://arxiv.org/abs/1502.03044, sections 3.1.2 and 4.2.

    Example:
        >>> import numpy as np
        >>> decoder = ShowAttendAndTell(vocabulary_size=10, units=8, embedding_size=8)
        >>> decoder(np.ones((2, 1, 49, 512)), np.ones((2, 5, 7), "int32")).shape
        TensorShape([2, 5, 7, 10])
    """

    def __init__(
        self,
        vocabulary_size: int,
        units: int = 512,
        embedding_size: int = 512,
        dropout: float = 0.5,
        attention_units: int = 256,
        doubly_stochastic: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(vocabulary_size, units, embedding_size, dropout, **kwargs)
        self.attention_units = attention_units
        self.doubly_stochastic = doubly_stochastic
        policy = self.dtype_policy
        self.normalization = keras.layers.LayerNormalization(dtype=policy, name="normalization")
        self.feature_dropout = keras.layers.Dropout(dropout, dtype=policy, name="feature_dropout")

        def dense(size: int, name: str, **options: Any) -> keras.layers.Dense:
            return keras.layers.Dense(size, dtype=policy, name=name, **options)

        self.first_hidden = dense(units, "first_hidden", activation="tanh")
        self.first_carry = dense(units, "first_carry", activation="tanh")
        self.key = dense(attention_units, "key")
        self.query = dense(attention_units, "query", use_bias=False)
        self.score = dense(1, "score", use_bias=False)
        self.gate = dense(1, "gate", activation="sigmoid")
        self.lstm = self.stack("lstm")
        self.output_hidden = dense(embedding_size, "output_hidden")
        self.output_context = dense(embedding_size, "output_context", use_bias=False)

    @property
    def options(self) -> dict[str, Any]:
        """See `Decoder`."""
        return {
            **super().options,
            "attention_units": self.attention_units,
            "doubly_stochastic": self.doubly_stochastic,
        }

    def build(
        self,
        features_shape: tuple[Any, ...],
        token_ids_shape: tuple[Any, ...] | None = None,
    ) -> None:
        """Creates the weights for features of `features_shape[-1]` channels."""
        channels = features_shape[-1]
        self.embedding.build((None, None))
        for layer in (self.normalization, self.key, self.output_context):
            layer.build((None, None, channels))
        for layer in (self.first_hidden, self.first_carry):
            layer.build((None, channels))
        for layer in (self.query, self.gate, self.output_hidden):
            layer.build((None, None, self.units))
        self.score.build((None, None, None, self.attention_units))
        self.lstm.build((None, self.embedding_size + channels))
        self.word_logits.build((None, None, self.embedding_size))
        self.built = True

    def remember(self, features: Any, frame_mask: Any = None, training: bool = False) -> Any:
        """See `Decoder`: keys, values and their mean over all places of all frames."""
        values, mask = flatten_places(features, frame_mask)
        values = self.feature_dropout(self.normalization(values), training=training)
        return {
            "keys": self.key(values),  # (B, T*P, A)
            "values": values,  # (B, T*P, C)
            "mean": mean_place(values, mask),  # (B, C)
            "bias": ops.where(mask, 0.0, NEVER),  # (B, T, P)
        }

    def begin(self, memory: Any) -> tuple[Any, ...]:
        """See `Decoder`: the first state follows from the mean; that of upper LSTMs is zero."""
        mean = ops.expand_dims(memory["mean"], 1)  # (B, 1, C)
        hidden, carry = self.first_hidden(mean), self.first_carry(mean)
        return hidden, carry, *(ops.zeros_like(hidden),) * (2 * self.layers - 2)

    def advance(self, words: Any, state: Any, memory: Any) -> tuple[Any, Any, Any]:
        """See `Decoder`; the output is (B, N, embedding_size)."""
        hidden = state[-2]  # of the highest LSTM
        keys, query = memory["keys"][:, None], self.query(hidden)[:, :, None]
        scores = self.score(ops.tanh(keys + query))[..., 0]  # (B, N, T*P)
        _, frames, places = ops.shape(memory["bias"])
        bias = ops.reshape(memory["bias"], (-1, 1, frames * places))
        attention = ops.softmax(ops.cast(scores, "float32") + bias)
        seen = ops.einsum("bnp,bpc->bnc", ops.cast(attention, words.dtype), memory["values"])
        seen = self.gate(hidden) * seen  # (B, N, C)
        said, state = run_cell(self.lstm, ops.concatenate([words, seen], axis=-1), state)
        output = words + self.output_hidden(said) + self.output_context(seen)
        by_frame = ops.reshape(attention, (-1, ops.shape(words)[1], frames, places))
        return output, state, by_frame

    def call(
        self,
        features: Any,
        token_ids: Any,
        frame_mask: Any = None,
        training: bool = False,
        **given: Any,
    ) -> Any:
        """See `Decoder`; in training adds the doubly stochastic term to the losses."""
        logits, attentions = self.unroll(features, token_ids, frame_mask, training, **given)
        if training and self.doubly_stochastic:
            attention = ops.stack(attentions, axis=2)  # (B, N, L, T, P)
            self.add_loss(self._unevenness(attention, token_ids, frame_mask))
        return logits

    def _unevenness(self, attention: Any, token_ids: Any, frame_mask: Any) -> Any:
        """The term of equation 14; as the loss beside it, a mean over all words but padding."""
        real = ops.cast(token_ids != Vocabulary.pad_id, "float32")  # (B, N, L)
        total = ops.einsum("bnltp,bnl->bntp", attention, real)
        weight = ops.max(real, axis=2)[..., None, None]  # 0 for a sentence that is all padding
        if frame_mask is not None:
            weight = weight * ops.cast(frame_mask, "float32")[:, None, :, None]
        terms = ops.sum(weight * ops.square(1 - total))
        return self.doubly_stochastic * terms / ops.sum(real)
