"""The engine that runs the network in Keras: for training, GPUs, and any backend."""

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import ops

from captioner.arrays import (
    Attention,
    BestIds,
    BestLogProbs,
    Features,
    FrameBatch,
    FrameMask,
    LogProbs,
    Penalty,
    Rows,
    TokenIds,
)
from captioner.engines.engine import Engine, State
from captioner.models.decoder import Decoder

# For `keras.Model.compile`. TensorFlow runs a graph without XLA, because on CPUs XLA does not use
# the library for bfloat16 products; without XLA, JAX would run one operation at a time.
JIT_COMPILE = keras.backend.backend() == "jax"


class KerasEngine(Engine):
    """Engine that runs an encoder and a decoder in Keras, also during their training.

    Args:
        encoder: Encoder, a `VGG16Encoder`.
        decoder: Built decoder.
    """

    def __init__(self, encoder: Any, decoder: Decoder) -> None:
        self.image_size = encoder.image_size
        self._encode = compiled(encoder)
        self._begin = compiled(begin_of(decoder))
        self._step = compiled(step_of(decoder))
        self._predict = compiled(predict_of(decoder))

    def encode(self, frames: FrameBatch) -> Features:
        """See `Engine`."""
        return _to_numpy(self._encode(ops.convert_to_tensor(frames)))

    def begin(self, features: Features, frame_mask: FrameMask) -> tuple[Any, State]:
        """See `Engine`; the memory remains on the device."""
        memory, state = self._begin(
            ops.convert_to_tensor(features), ops.convert_to_tensor(frame_mask)
        )
        return memory, tuple(_to_numpy(part) for part in state)

    def step(
        self, token_ids: TokenIds, state: State, memory: Any, penalty: Penalty, count: int
    ) -> tuple[BestIds, BestLogProbs, State, Attention | None]:
        """See `Engine`."""
        words, log_probs, state, attention = self._step(
            ops.convert_to_tensor(token_ids),
            tuple(ops.convert_to_tensor(part) for part in state),
            memory,
            ops.convert_to_tensor(penalty),
            # TensorFlow would compile a new graph for each number; other backends need a number.
            ops.convert_to_tensor(count) if keras.backend.backend() == "tensorflow" else count,
        )
        return (
            ops.convert_to_numpy(words),
            _to_numpy(log_probs),
            tuple(_to_numpy(part) for part in state),
            None if attention is None else _to_numpy(attention),
        )

    def predict(
        self, token_ids: TokenIds, state: State, memory: Any
    ) -> tuple[LogProbs, State, Attention | None]:
        """See `Engine`."""
        log_probs, state, attention = self._predict(
            ops.convert_to_tensor(token_ids),
            tuple(ops.convert_to_tensor(part) for part in state),
            memory,
        )
        return (
            _to_numpy(log_probs),
            tuple(_to_numpy(part) for part in state),
            None if attention is None else _to_numpy(attention),
        )

    def select(self, memory: Any, rows: Rows) -> Any:
        """See `Engine`."""
        return keras.tree.map_structure(lambda part: ops.take(part, rows, axis=0), memory)


def begin_of(decoder: Decoder) -> Callable[..., Any]:
    """Return `Engine.begin` of a decoder, for tensors."""

    def begin(features: Any, frame_mask: Any) -> Any:
        memory = decoder.encode(ops.cast(features, decoder.compute_dtype), frame_mask)
        return memory, decoder.initial_state(memory)

    return begin


def step_of(decoder: Decoder) -> Callable[..., Any]:
    """Return `Engine.step` of a decoder, for tensors."""
    predict = predict_of(decoder)

    def step(token_ids: Any, state: Any, memory: Any, penalty: Any, count: Any) -> Any:
        log_probs, state, attention = predict(token_ids, state, memory)
        log_probs, words = ops.top_k(log_probs + penalty, count)  # (B, K, M)
        return words, log_probs, state, attention

    return step


def predict_of(decoder: Decoder) -> Callable[..., Any]:
    """Return `Engine.predict` of a decoder, for tensors."""

    def predict(token_ids: Any, state: Any, memory: Any) -> Any:
        state = tuple(ops.cast(part, decoder.compute_dtype) for part in state)
        logits, state, attention = decoder.step(token_ids, state, memory)
        return ops.log_softmax(logits), state, attention

    return predict


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Prepare a function for inference: a graph in TensorFlow, no gradients in PyTorch.

    A graph avoids the cost of calling about fifty operations from Python.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # TensorFlow counts graphs by their code, so it would count those of all engines together
        # and warn of retracing; a partial has no code of its own.
        graph: Callable[..., Any] = tf.function(partial(function), reduce_retracing=True)
        return graph
    if keras.backend.backend() == "torch":
        import torch

        detached: Callable[..., Any] = torch.no_grad()(function)
        return detached
    return function


def _to_numpy(tensor: Any) -> np.ndarray:
    # NumPy has no bfloat16 of its own; float32 holds its values exactly.
    return ops.convert_to_numpy(ops.cast(tensor, "float32"))
