"""The common base of all decoders: one interface for training and for search."""

from typing import Any

import keras
from keras import ops


class TiedLogits(keras.layers.Layer):
    """Logits as the product of an output with each word vector, plus a bias for each word.

    One matrix instead of two: fewer weights, and input and output embeddings are trained together.

    Args:
        embedding: Layer that embeds the words, (V, E).
        kwargs: Arguments of a Keras layer.

    Raises:
        ValueError: In `build`, if outputs and word vectors have different lengths.

    Source: Press and Wolf 2017, https://arxiv.org/abs/1608.05859.

    Example:
        >>> import numpy as np
        >>> embedding = keras.layers.Embedding(10, 8)
        >>> embedding.build()
        >>> TiedLogits(embedding)(np.ones((2, 5, 8), "float32")).shape
        TensorShape([2, 5, 10])
    """

    def __init__(self, embedding: keras.layers.Embedding, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.embedding = embedding

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the bias, for outputs of `input_shape[-1]` numbers."""
        if input_shape[-1] != self.embedding.output_dim:
            raise ValueError(
                f"tie_embeddings needs units equal to embedding_size, "
                f"not {input_shape[-1]} and {self.embedding.output_dim}"
            )
        self.bias = self.add_weight((self.embedding.input_dim,), "zeros", name="bias")
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Turn outputs (..., E) into logits (..., V)."""
        return ops.matmul(inputs, ops.transpose(self.embedding.embeddings)) + self.bias


class Decoder(keras.layers.Layer):
    """Base of decoders, which write a sentence word by word from the memory of an image or clip.

    Each image or clip is one row of the batch, B. Its N sentences are processed together: the
    human captions in training, the hypotheses in beam search. They share one memory.

        memory                   = decoder.encode(features, frame_mask)         # once per clip
        state                    = decoder.initial_state(memory)                # (B, 1, units) each
        logits, state, attention = decoder.step(token_ids, state, memory)       # one token
        logits                   = decoder(features, token_ids, frame_mask)     # teacher forcing

    A subclass implements `encode`, `initial_state` and `cell`.

    Args:
        vocabulary_size: Number of words, V, including special tokens.
        units: Number of units of each LSTM.
        embedding_size: Length of a word vector, E.
        dropout: Share dropped in training, of the word vectors, of the features that an attentive
            decoder reads, and of the output from which the next word is predicted.
        tie_embeddings: If True, predict words by their word vectors, see `TiedLogits`, instead of
            a separate matrix; outputs and word vectors must have the same length.
        kwargs: Arguments of a Keras layer.
    """

    def __init__(
        self,
        vocabulary_size: int,
        units: int = 512,
        embedding_size: int = 512,
        dropout: float = 0.5,
        tie_embeddings: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.units = units
        self.embedding_size = embedding_size
        self.dropout = dropout
        self.tie_embeddings = tie_embeddings
        # Keras initialises word vectors with a scale of 0.03; normalised features beside them then
        # dominate the words in the first epochs. Tied vectors are also the last matrix, and must
        # start small.
        vectors = "uniform" if tie_embeddings else keras.initializers.RandomNormal(stddev=1.0)
        self.embedding = keras.layers.Embedding(
            vocabulary_size, embedding_size, vectors, dtype=self.dtype_policy, name="embedding"
        )
        self.word_dropout = self.drop("word_dropout")
        self.output_dropout = self.drop("output_dropout")
        self.word_logits = (
            TiedLogits(self.embedding, dtype=self.dtype_policy, name="word_logits")
            if tie_embeddings
            else self.dense(vocabulary_size, "word_logits")
        )

    def dense(self, size: int, name: str, **options: Any) -> keras.layers.Dense:
        """Create a dense layer in the decoder's precision."""
        return keras.layers.Dense(size, dtype=self.dtype_policy, name=name, **options)

    def lstm(self, name: str, **options: Any) -> keras.layers.LSTMCell:
        """Create an LSTM cell in the decoder's precision."""
        return keras.layers.LSTMCell(self.units, dtype=self.dtype_policy, name=name, **options)

    def norm(self, name: str) -> keras.layers.LayerNormalization:
        """Create a layer normalisation in the decoder's precision."""
        return keras.layers.LayerNormalization(dtype=self.dtype_policy, name=name)

    def drop(self, name: str) -> keras.layers.Dropout:
        """Create a dropout layer in the decoder's precision."""
        return keras.layers.Dropout(self.dropout, dtype=self.dtype_policy, name=name)

    @property
    def options(self) -> dict[str, Any]:
        """The configurable arguments with their values, as stored in a preset."""
        return {
            "units": self.units,
            "embedding_size": self.embedding_size,
            "dropout": self.dropout,
            "tie_embeddings": self.tie_embeddings,
        }

    def build(self, features_shape: tuple[Any, ...], token_ids_shape: Any = None) -> None:
        """Create the weights by one step over an image of zeros.

        Args:
            features_shape: Shape (B, T, P, C), of which only C is used.
            token_ids_shape: Not used.
        """
        features = ops.zeros((1, 1, 2, features_shape[-1]), self.compute_dtype)
        self.unroll(features, ops.zeros((1, 1, 1), "int32"), None, training=False)
        self.built = True

    def encode(self, features: Any, frame_mask: Any = None, training: bool = False) -> Any:
        """Turn the features of a clip into the memory that the steps read.

        Args:
            features: float (B, T, P, C).
            frame_mask: bool (B, T), False for padding frames; None if there are none.
            training: If True, dropout is active.
        """
        raise NotImplementedError

    def initial_state(self, memory: Any) -> tuple[Any, ...]:
        """Return the state before the first word: a tuple of (B, 1, units)."""
        raise NotImplementedError

    def cell(self, words: Any, state: Any, memory: Any) -> tuple[Any, Any, Any]:
        """Read one word.

        Args:
            words: Word vectors, float (B, N, E).
            state: State in the form of `initial_state`, each (B, N, units).
            memory: Memory from `encode`.

        Returns:
            The output (B, N, D) from which the next word is predicted, the new state, and the
            attention (B, N, T, P) or None.
        """
        raise NotImplementedError

    def step(self, token_ids: Any, state: Any, memory: Any) -> tuple[Any, Any, Any]:
        """Predict the next word.

        Args:
            token_ids: Previous token, int (B, N).
            state: State in the form of `initial_state`, each (B, N, units).
            memory: Memory from `encode`.

        Returns:
            Logits, float32 (B, N, V), the new state, and the attention (B, N, T, P) or None.
        """
        output, state, attention = self.cell(self.embedding(token_ids), state, memory)
        return ops.cast(self.word_logits(output), "float32"), state, attention

    def call(
        self,
        features: Any,
        token_ids: Any,
        frame_mask: Any = None,
        training: bool = False,
        **given: Any,
    ) -> Any:
        """Predict each next word of known sentences (teacher forcing).

        Args:
            features: float (B, T, P, C).
            token_ids: int (B, N, L), N sentences for each clip, each beginning with <start>.
            frame_mask: bool (B, T) or None.
            training: If True, dropout is active.
            given: Further arguments of the decoder's `encode`.

        Returns:
            Logits, float32 (B, N, L, V).
        """
        return self.unroll(features, token_ids, frame_mask, training, **given)[0]

    def unroll(
        self, features: Any, token_ids: Any, frame_mask: Any, training: bool, **given: Any
    ) -> tuple[Any, list[Any]]:
        """Do the same as `call`, but return the logits and each step's attention."""
        memory = self.encode(features, frame_mask, training=training, **given)
        words = self.word_dropout(self.embedding(token_ids), training=training)  # (B, N, L, E)
        sentences = ops.shape(words)[1]
        state = tuple(ops.repeat(part, sentences, axis=1) for part in self.initial_state(memory))
        outputs, attentions = [], []
        for position in range(words.shape[2]):
            output, state, attention = self.cell(words[:, :, position], state, memory)
            outputs.append(output)
            attentions.append(attention)
        # One product for all positions: the vocabulary is the widest layer.
        output = self.output_dropout(ops.stack(outputs, axis=2), training=training)  # (B, N, L, D)
        return ops.cast(self.word_logits(output), "float32"), attentions


def run_cell(cell: Any, inputs: Any, state: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """Run one step of a Keras LSTM cell on (B, N, ...) inputs and states.

    Returns:
        The output (B, N, units), and the new state: hidden and cell state.
    """
    sentences = ops.shape(inputs)[1]

    def fold(x: Any) -> Any:
        return ops.reshape(x, (-1, x.shape[-1]))  # (B, N, D) -> (B*N, D)

    def unfold(x: Any) -> Any:
        return ops.reshape(x, (-1, sentences, x.shape[-1]))

    _, after = cell(fold(inputs), [fold(part) for part in state])
    hidden, carry = (unfold(part) for part in after)
    return hidden, (hidden, carry)
