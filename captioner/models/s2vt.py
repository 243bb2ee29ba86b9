"""S2VT: two LSTMs read the frames of a clip one by one, then write the sentence."""

from typing import Any

from keras import ops

from captioner.models.attention import compress
from captioner.models.decoder import Decoder, run_cell


class S2VT(Decoder):
    """The stack of two LSTMs of Venugopalan et al. 2015, one for frames and one for words.

    While the clip is encoded, the first LSTM reads one frame per step, and the second one reads its
    output and a word of zeros. While the sentence is written, the first reads a frame of zeros, and
    the second reads its output and the last word. Padding frames are skipped. An image is a clip of
    one frame.

    Unlike the paper, a frame's feature is the mean over a grid instead of the output of a fully
    connected layer, and is compressed by log(1 + x) and layer normalisation.

    Args:
        vocabulary_size: Number of words, including special tokens.
        kwargs: Arguments of `Decoder`; a frame's feature is projected to `embedding_size`.

    Source: Venugopalan et al. 2015, https://arxiv.org/abs/1505.00487, section 3.2.

    Example:
        >>> import numpy as np
        >>> decoder = S2VT(vocabulary_size=10, units=8, embedding_size=8)
        >>> decoder(np.ones((2, 4, 49, 512)), np.ones((2, 5, 7), "int32")).shape
        TensorShape([2, 5, 7, 10])
    """

    def __init__(self, vocabulary_size: int, **kwargs: Any) -> None:
        super().__init__(vocabulary_size, **kwargs)
        self.normalization = self.norm("normalization")
        self.frame = self.dense(self.embedding_size, "frame")
        self.frame_lstm = self.lstm("frame_lstm")
        self.word_lstm = self.lstm("word_lstm")

    def build(self, features_shape: tuple[Any, ...], token_ids_shape: Any = None) -> None:
        """See `Decoder`."""
        # Weights cannot be created inside the loop over the frames.
        self.frame_lstm.build((None, self.embedding_size))
        self.word_lstm.build((None, self.units + self.embedding_size))
        super().build(features_shape)

    def encode(self, features: Any, frame_mask: Any = None, training: bool = False) -> Any:
        """See `Decoder`: the state of both LSTMs after the last frame, each (B, 1, U)."""
        batch, count, _, _ = ops.shape(features)
        frames = self.normalization(ops.mean(compress(features), axis=2))  # (B, T, C)
        frames = self.word_dropout(self.frame(frames), training=training)  # (B, T, E)
        mask = ops.ones((batch, count), "bool") if frame_mask is None else frame_mask
        zeros = ops.zeros((batch, 1, self.units), self.compute_dtype)

        def read(index: Any, state: Any) -> Any:
            frame = ops.take(frames, index, axis=1)[:, None]  # (B, 1, E)
            real = ops.take(mask, index, axis=1)[:, None, None]
            _, after = self._run(frame, ops.zeros_like(frame), state)
            return tuple(ops.where(real, *parts) for parts in zip(after, state, strict=True))

        # A loop of the backend, because T may be known only when an exported network runs.
        return ops.fori_loop(0, count, read, (zeros,) * 4)

    def initial_state(self, memory: Any) -> tuple[Any, ...]:
        """See `Decoder`."""
        return tuple(memory)

    def cell(self, words: Any, state: Any, memory: Any) -> tuple[Any, Any, Any]:
        """See `Decoder`; there is no attention."""
        # A frame of zeros is as long as a word vector.
        output, state = self._run(ops.zeros_like(words), words, state)
        return output, state, None

    def _run(self, frames: Any, words: Any, state: Any) -> tuple[Any, tuple[Any, ...]]:
        """Run one step of both LSTMs on frames and words, each (B, N, E)."""
        read, frame_state = run_cell(self.frame_lstm, frames, state[:2])
        output, word_state = run_cell(
            self.word_lstm, ops.concatenate([read, words], axis=-1), state[2:]
        )
        return output, (*frame_state, *word_state)
