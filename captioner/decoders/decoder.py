"""What every decoder has in common: one interface for training and for decoding."""

from typing import Any

import keras
from keras import ops

from captioner.decoders.tied_logits import TiedLogits


class Decoder(keras.layers.Layer):
    """Writes a sentence word by word from a memory of the picture.

    A picture (or clip) is one row of the batch, B. Several sentences about it, N, are written at
    once: its human captions in training, its hypotheses in beam search. They share one memory.

        memory           = decoder.remember(features, frame_mask)     # once per clip
        state            = decoder.begin(memory)                      # tuple of (B, 1, units)
        logits, state, a = decoder.step(token_ids, state, memory)     # one word
        logits           = decoder(features, token_ids, frame_mask)   # teacher forcing

    A subclass writes `remember`, `begin` and `advance`.

    Args:
        vocabulary_size: Number of words, V, special tokens included.
        units: Units of each LSTM.
        embedding_size: Length of a word vector.
        dropout: Share of the word vectors' and of the last LSTM's outputs dropped in training.
        tie_embeddings: Predict words by their word vectors, see `TiedLogits`, instead of by a
            matrix of its own; needs outputs as long as word vectors.
        layers: LSTMs that are stacked in place of the last one: each reads the output of the one
            below it.
        kwargs: Those of a Keras layer.
    """

    def __init__(
        self,
        vocabulary_size: int,
        units: int = 512,
        embedding_size: int = 512,
        dropout: float = 0.5,
        tie_embeddings: bool = False,
        layers: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if layers < 1:
            raise ValueError(f"layers must be 1 or more, not {layers}")
        self.vocabulary_size = vocabulary_size
        self.units = units
        self.embedding_size = embedding_size
        self.dropout = dropout
        self.tie_embeddings = tie_embeddings
        self.layers = layers
        policy = self.dtype_policy
        # Keras begins word vectors at 0.03, where a normalised picture beside them drowns the words
        # for the first epochs; tied ones also are the last matrix, and must begin small.
        vectors = "uniform" if tie_embeddings else keras.initializers.RandomNormal(stddev=1.0)
        self.embedding = keras.layers.Embedding(
            vocabulary_size, embedding_size, vectors, dtype=policy, name="embedding"
        )
        self.word_dropout = keras.layers.Dropout(dropout, dtype=policy, name="word_dropout")
        self.output_dropout = keras.layers.Dropout(dropout, dtype=policy, name="output_dropout")
        self.word_logits = (
            TiedLogits(self.embedding, dtype=policy, name="word_logits")
            if tie_embeddings
            else keras.layers.Dense(vocabulary_size, dtype=policy, name="word_logits")
        )

    def stack(self, name: str, **options: Any) -> Any:
        """An LSTM cell, or `layers` of them, of which the lowest has the name and the options."""
        policy = self.dtype_policy
        lowest = keras.layers.LSTMCell(self.units, dtype=policy, name=name, **options)
        if self.layers == 1:
            return lowest
        upper = [
            keras.layers.LSTMCell(self.units, dtype=policy, name=f"{name}_{number}")
            for number in range(2, self.layers + 1)
        ]
        return keras.layers.StackedRNNCells([lowest, *upper], dtype=policy, name=f"{name}s")

    @property
    def options(self) -> dict[str, Any]:
        """The arguments that a config chooses, with their values; a preset keeps them."""
        return {
            "units": self.units,
            "embedding_size": self.embedding_size,
            "dropout": self.dropout,
            "tie_embeddings": self.tie_embeddings,
            "layers": self.layers,
        }

    def remember(self, features: Any, frame_mask: Any = None, training: bool = False) -> Any:
        """Turns the features of a clip into what the steps look at.

        Args:
            features: float (B, T, P, C).
            frame_mask: bool (B, T), False for padding frames; None when there are none.
            training: Whether dropout acts.
        """
        raise NotImplementedError

    def begin(self, memory: Any) -> tuple[Any, ...]:
        """The state before the first word: a tuple of (B, 1, units)."""
        raise NotImplementedError

    def advance(self, words: Any, state: Any, memory: Any) -> tuple[Any, Any, Any]:
        """Reads one word.

        Args:
            words: float (B, N, embedding_size), word vectors.
            state: As `begin` gives it, each (B, N, units).
            memory: As `remember` gives it.

        Returns:
            The output (B, N, D) from which the next word is predicted, the new state, and the
            attention (B, N, T, P) or None.
        """
        raise NotImplementedError

    def step(self, token_ids: Any, state: Any, memory: Any) -> tuple[Any, Any, Any]:
        """Predicts the next word.

        Args:
            token_ids: int (B, N), the word before.
            state: As `begin` gives it, each (B, N, units).
            memory: As `remember` gives it.

        Returns:
            Logits, float32 (B, N, V), the new state, and the attention (B, N, T, P) or None.
        """
        output, state, attention = self.advance(self.embedding(token_ids), state, memory)
        return ops.cast(self.word_logits(output), "float32"), state, attention

    def call(
        self,
        features: Any,
        token_ids: Any,
        frame_mask: Any = None,
        training: bool = False,
        **given: Any,
    ) -> Any:
        """Predicts each next word of known sentences (teacher forcing).

        Args:
            features: float (B, T, P, C).
            token_ids: int (B, N, L), N sentences for each clip, each beginning with <start>.
            frame_mask: bool (B, T) or None.
            training: Whether dropout acts.
            given: What else the decoder's `remember` takes.

        Returns:
            Logits, float32 (B, N, L, V).
        """
        return self.unroll(features, token_ids, frame_mask, training, **given)[0]

    def unroll(
        self, features: Any, token_ids: Any, frame_mask: Any, training: bool, **given: Any
    ) -> tuple[Any, list[Any]]:
        """What `call` does; returns the logits and each step's attention."""
        memory = self.remember(features, frame_mask, training=training, **given)
        words = self.word_dropout(self.embedding(token_ids), training=training)  # (B, N, L, E)
        sentences = ops.shape(words)[1]
        state = tuple(ops.repeat(part, sentences, axis=1) for part in self.begin(memory))
        outputs, attentions = [], []
        for position in range(words.shape[2]):
            output, state, attention = self.advance(words[:, :, position], state, memory)
            outputs.append(output)
            attentions.append(attention)
        # One product for all positions: the vocabulary is the widest layer.
        output = self.output_dropout(ops.stack(outputs, axis=2), training=training)  # (B, N, L, D)
        return ops.cast(self.word_logits(output), "float32"), attentions

    def compute_output_shape(
        self, features_shape: tuple[int | None, ...], token_ids_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """The shape that `call` gives."""
        return (*token_ids_shape, self.vocabulary_size)

    def get_config(self) -> dict[str, Any]:
        """What builds the same decoder, without its weights."""
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            **self.options,
        }


def run_cell(cell: Any, inputs: Any, state: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """One step of a Keras LSTM cell, or a stack of them, on (B, N, ...) inputs and states.

    Returns:
        The output (B, N, units), and the new state: hidden and cell state, for each of a stack.
    """
    sentences = ops.shape(inputs)[1]

    def fold(x: Any) -> Any:
        return ops.reshape(x, (-1, x.shape[-1]))  # (B, N, D) -> (B*N, D)

    def unfold(x: Any) -> Any:
        return ops.reshape(x, (-1, sentences, x.shape[-1]))

    folded = keras.tree.pack_sequence_as(cell.state_size, [fold(part) for part in state])
    _, after = cell(fold(inputs), folded)
    parts = tuple(unfold(part) for part in keras.tree.flatten(after))
    return parts[-2], parts
