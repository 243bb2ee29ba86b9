"""Captions drawn at random from what the decoder holds probable, with its current weights."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from captioner.decoders.decoder import Decoder
from captioner.decoders.locations import MASK_VALUE
from captioner.engines.keras import compiled
from captioner.text.vocabulary import Vocabulary

_ON_JAX = keras.backend.backend() == "jax"


class CaptionSampler:
    """Draws sentences word by word from a decoder while it is trained.

    Dropout is off, as when captions are written. keras_nlp's samplers draw one sentence a row
    through a cache of their own kind; here N sentences share the memory of a picture.

    Args:
        decoder: A built `Decoder`.
        vocabulary: Its words; `<pad>`, `<start>` and `<unk>` are never drawn.
        samples: Sentences for each picture, N.
        max_length: Most words of a sentence; one that would go on has no `<end>`.

    Example:
        >>> from captioner.decoders.build import build_decoder
        >>> vocabulary = Vocabulary({"a": 2, "dog": 1})
        >>> size = {"vocabulary_size": len(vocabulary), "units": 8, "embedding_size": 8}
        >>> decoder = build_decoder("show_and_tell", channels=4, **size)
        >>> sampler = CaptionSampler(decoder, vocabulary, samples=3, max_length=5)
        >>> sampler.sample(np.ones((2, 1, 9, 4)), seed=7).shape
        (2, 3, 6)
    """

    def __init__(
        self, decoder: Decoder, vocabulary: Vocabulary, samples: int, max_length: int
    ) -> None:
        self._decoder = decoder
        self._vocabulary = vocabulary
        self._samples = samples
        self._max_length = max_length
        self._random = keras.random.SeedGenerator(0)
        self._penalty = np.zeros(len(vocabulary), np.float32)
        self._penalty[list(vocabulary.unspoken_ids)] = MASK_VALUE
        self._variables = [*decoder.variables, self._random.state]
        self._draw = self._stateless_draw() if _ON_JAX else compiled(self._draw_all)

    def sample(
        self, features: np.ndarray, seed: int, frame_mask: np.ndarray | None = None
    ) -> np.ndarray:
        """Draws N sentences for each picture or clip.

        Args:
            features: float (B, T, P, C).
            seed: Equal seeds and weights draw equal sentences.
            frame_mask: bool (B, T), False for padding frames; None when there are none.

        Returns:
            int32 (B, N, max_length + 1): words and `<end>`, then `<pad>`.
        """
        self._random.state.assign(np.array([seed % 2**31, 0], self._random.state.dtype))
        mask = np.ones(features.shape[:2], bool) if frame_mask is None else frame_mask
        drawn = self._draw(ops.convert_to_tensor(features), ops.convert_to_tensor(mask))
        return np.asarray(ops.convert_to_numpy(drawn), np.int32)

    def _stateless_draw(self) -> Callable[..., Any]:
        """Return a compiled function of the weights too, which JAX would take for constants."""
        import jax

        def draw(values: list[Any], features: Any, frame_mask: Any) -> Any:
            pairs = list(zip(self._variables, values, strict=True))
            with keras.StatelessScope(state_mapping=pairs):
                return self._draw_all(features, frame_mask)

        graph = jax.jit(draw)

        def draw_with_weights(features: Any, frame_mask: Any) -> Any:
            return graph([variable.value for variable in self._variables], features, frame_mask)

        return draw_with_weights

    def _draw_all(self, features: Any, frame_mask: Any) -> Any:
        decoder, vocabulary = self._decoder, self._vocabulary
        memory = decoder.encode(ops.cast(features, decoder.compute_dtype), frame_mask)
        state = tuple(
            ops.repeat(part, self._samples, axis=1) for part in decoder.initial_state(memory)
        )
        shape = (ops.shape(features)[0], self._samples)
        token_ids = ops.full(shape, vocabulary.start_id, "int32")  # (B, N)
        ended = ops.zeros(shape, "bool")
        penalty = ops.convert_to_tensor(self._penalty)
        drawn = []
        for _ in range(self._max_length + 1):
            logits, state, _ = decoder.step(token_ids, state, memory)  # (B, N, V)
            rows = ops.reshape(logits + penalty, (-1, logits.shape[-1]))
            words = keras.random.categorical(rows, 1, dtype="int32", seed=self._random)
            token_ids = ops.where(ended, vocabulary.pad_id, ops.reshape(words, shape))
            ended = ops.logical_or(ended, token_ids == vocabulary.end_id)
            drawn.append(token_ids)
        return ops.stack(drawn, axis=2)
