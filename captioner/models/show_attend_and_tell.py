"""Show, Attend and Tell: the LSTM attends to the locations of the image before each word."""

from typing import Any

from keras import ops

from captioner.models.attention import AttentiveDecoder
from captioner.models.decoder import run_cell
from captioner.models.worker_share import share_of_weight
from captioner.text.vocabulary import Vocabulary


class ShowAttendAndTell(AttentiveDecoder):
    """The captioning LSTM with soft attention of Xu et al. 2015.

    A tanh network compares each location with the LSTM's last state; the LSTM reads the word and
    the context vector, scaled by a gate; word vector, state and context predict the word.

    Unlike the paper, features are compressed by log(1 + x) and layer normalisation, with dropout;
    and the size of the tanh network is an option of its own, because the network computes B * N *
    T * P * `attention_units` tanh per word, which takes most of the time on a CPU.

    Args:
        vocabulary_size: Number of words, including special tokens.
        attention_units: Number of units of the tanh network, A.
        doubly_stochastic: Weight of the paper's term (equation 14) that makes the attention to each
            location sum to 1 over the words of a sentence; 1 in the paper, 0 to omit the term.
        kwargs: Arguments of `Decoder`.

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
        attention_units: int = 256,
        doubly_stochastic: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(vocabulary_size, **kwargs)
        self.attention_units = attention_units
        self.doubly_stochastic = doubly_stochastic
        self.first_hidden = self.dense(self.units, "first_hidden", activation="tanh")
        self.first_carry = self.dense(self.units, "first_carry", activation="tanh")
        self.key = self.dense(attention_units, "key")
        self.query = self.dense(attention_units, "query", use_bias=False)
        self.score = self.dense(1, "score", use_bias=False)
        self.gate = self.dense(1, "gate", activation="sigmoid")
        self.word_lstm = self.lstm("lstm")
        self.output_hidden = self.dense(self.embedding_size, "output_hidden")
        self.output_context = self.dense(self.embedding_size, "output_context", use_bias=False)

    @property
    def options(self) -> dict[str, Any]:
        """See `Decoder`."""
        return {
            **super().options,
            "attention_units": self.attention_units,
            "doubly_stochastic": self.doubly_stochastic,
        }

    def initial_state(self, memory: Any) -> tuple[Any, ...]:
        """See `Decoder`; the state is computed from the mean."""
        mean = ops.expand_dims(memory["mean"], 1)  # (B, 1, C)
        return self.first_hidden(mean), self.first_carry(mean)

    def cell(self, words: Any, state: Any, memory: Any) -> tuple[Any, Any, Any]:
        """See `Decoder`; the output is (B, N, E)."""
        hidden, _ = state
        keys, query = memory["keys"][:, None], self.query(hidden)[:, :, None]
        scores = self.score(ops.tanh(keys + query))[..., 0]  # (B, N, T*P)
        context, attention = self.attend(scores, memory)
        context = self.gate(hidden) * context  # (B, N, C)
        hidden, state = run_cell(self.word_lstm, ops.concatenate([words, context], axis=-1), state)
        output = words + self.output_hidden(hidden) + self.output_context(context)
        return output, state, attention

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
        """Return the term of equation 14, as a mean over all words without padding."""
        real = ops.cast(token_ids != Vocabulary.pad_id, "float32")  # (B, N, L)
        total = ops.einsum("bnltp,bnl->bntp", attention, real)
        weight = ops.max(real, axis=2)[..., None, None]  # 0 for a sentence that is all padding
        if frame_mask is not None:
            weight = weight * ops.cast(frame_mask, "float32")[:, None, :, None]
        terms = ops.sum(weight * ops.square(1 - total))
        return share_of_weight(real) * self.doubly_stochastic * terms / ops.sum(real)
