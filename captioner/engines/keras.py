"""The engine that runs the network in Keras: for training, GPUs, and any backend."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from captioner.decoders.decoder import Decoder


class KerasEngine:
    """Runs an encoder and a decoder on NumPy arrays.

    Args:
        encoder: A `VGG16Encoder`.
        decoder: A built `Decoder`.
    """

    def __init__(self, encoder: Any, decoder: Decoder) -> None:
        self._encode = _compiled(encoder)
        self._begin = _compiled(_begin_of(decoder))
        self._step = _compiled(_step_of(decoder))

    def encode(self, frames: np.ndarray) -> np.ndarray:
        """uint8 frames (B, T, H, W, 3) to features, float32 (B, T, P, C)."""
        return _to_numpy(self._encode(ops.convert_to_tensor(frames)))

    def begin(
        self, features: np.ndarray, frame_mask: np.ndarray
    ) -> tuple[Any, tuple[np.ndarray, ...]]:
        """Reads the features of B clips.

        Args:
            features: float (B, T, P, C).
            frame_mask: bool (B, T), False for padding frames.

        Returns:
            The memory (kept on the device), and the first state, each (B, 1, units).
        """
        memory, state = self._begin(
            ops.convert_to_tensor(features), ops.convert_to_tensor(frame_mask)
        )
        return memory, tuple(_to_numpy(part) for part in state)

    def step(
        self, token_ids: np.ndarray, state: tuple[np.ndarray, ...], memory: Any
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...], np.ndarray | None]:
        """One word of K sentences for each of B clips.

        Args:
            token_ids: int32 (B, K).
            state: Each (B, K, units).
            memory: As `begin` gave it.

        Returns:
            Log-probabilities float32 (B, K, V), state, attention (B, K, T, P) or None.
        """
        log_probs, state, attention = self._step(
            ops.convert_to_tensor(token_ids),
            tuple(ops.convert_to_tensor(part) for part in state),
            memory,
        )
        return (
            _to_numpy(log_probs),
            tuple(_to_numpy(part) for part in state),
            None if attention is None else _to_numpy(attention),
        )


def _begin_of(decoder: Decoder) -> Callable[..., Any]:
    def begin(features: Any, frame_mask: Any) -> Any:
        memory = decoder.remember(ops.cast(features, decoder.compute_dtype), frame_mask)
        return memory, decoder.begin(memory)

    return begin


def _step_of(decoder: Decoder) -> Callable[..., Any]:
    def step(token_ids: Any, state: Any, memory: Any) -> Any:
        state = tuple(ops.cast(part, decoder.compute_dtype) for part in state)
        logits, state, attention = decoder.step(token_ids, state, memory)
        return ops.log_softmax(logits), state, attention

    return step


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """On TensorFlow a graph, which spares the cost of calling some fifty operations from Python."""
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    graph: Callable[..., Any] = tf.function(function, reduce_retracing=True)
    return graph


def _to_numpy(tensor: Any) -> np.ndarray:
    # NumPy has no bfloat16 of its own; float32 holds its values exactly.
    return ops.convert_to_numpy(ops.cast(tensor, "float32"))
