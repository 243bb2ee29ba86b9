"""The network as three functions of named tensors: what every exported form of it consists of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from captioner.decoders.decoder import Decoder
from captioner.engines.keras import begin_of, step_of
from captioner.errors import CaptionerError
from captioner.vision.encoder import VGG16Encoder


@dataclass(frozen=True)
class Signature:
    """One function of the network.

    Attributes:
        function: Takes tensors in the order of `inputs`, returns a dict of tensors.
        inputs: A `tf.TensorSpec` with a name for each.
        part: "encoder" or "decoder", whose weights it reads.
    """

    function: Callable[..., dict[str, Any]]
    inputs: Sequence[Any]
    part: str


def signatures(encoder: VGG16Encoder, decoder: Decoder) -> dict[str, Signature]:
    """Return the functions "encode", "begin" and "step", which are those of `Engine`.

    The memory and the state are tuples there; here their parts are tensors of their own, memory_0,
    memory_1 and so on, state_0 and so on, and next_state_0 where a step gives them back.

    Args:
        encoder: In float32.
        decoder: Built, in float32.

    Raises:
        CaptionerError: On another backend of Keras than TensorFlow.
    """
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise CaptionerError(
            f"networks are exported on TensorFlow, but Keras runs on {backend} here; put "
            "KERAS_BACKEND=tensorflow before the command"
        )
    height, width = encoder.image_size
    frames = tf.TensorSpec((None, None, height, width, 3), "uint8", "frames")
    features = tf.TensorSpec((None, None, encoder.places, encoder.channels), "float32", "features")
    mask = tf.TensorSpec((None, None), "bool", "frame_mask")
    begin, step = begin_of(decoder), step_of(decoder)
    memory, state = tf.function(begin).get_concrete_function(features, mask).structured_outputs
    memory_inputs = _inputs(keras.tree.flatten(memory), "memory_", axes=1)
    state_inputs = _inputs(state, "state_", axes=2)

    def named_encode(frames: Any) -> dict[str, Any]:
        return {"features": encoder(frames)}

    def named_begin(features: Any, frame_mask: Any) -> dict[str, Any]:
        memory, state = begin(features, frame_mask)
        return {**_named(keras.tree.flatten(memory), "memory_"), **_named(state, "state_")}

    def named_step(token_ids: Any, penalty: Any, count: Any, *rest: Any) -> dict[str, Any]:
        parts = rest[len(state_inputs) :]
        packed = keras.tree.pack_sequence_as(memory, parts)
        words, log_probs, state, attention = step(
            token_ids, rest[: len(state_inputs)], packed, penalty, count
        )
        outputs = {"words": words, "log_probs": log_probs, **_named(state, "next_state_")}
        return outputs if attention is None else {**outputs, "attention": attention}

    step_inputs = (
        tf.TensorSpec((None, None), "int32", "token_ids"),
        tf.TensorSpec((decoder.vocabulary_size,), "float32", "penalty"),
        tf.TensorSpec((), "int32", "count"),
        *state_inputs,
        *memory_inputs,
    )
    return {
        "encode": Signature(named_encode, (frames,), "encoder"),
        "begin": Signature(named_begin, (features, mask), "decoder"),
        "step": Signature(named_step, step_inputs, "decoder"),
    }


def _named(parts: Sequence[Any], prefix: str) -> dict[str, Any]:
    return {f"{prefix}{index}": part for index, part in enumerate(parts)}


def _inputs(parts: Sequence[Any], prefix: str, axes: int) -> tuple[Any, ...]:
    """Specs of tensors whose first axes have any length: clips, and of a state also sentences."""
    return tuple(
        tf.TensorSpec((None,) * axes + tuple(part.shape[axes:]), part.dtype, name)
        for name, part in _named(parts, prefix).items()
    )
