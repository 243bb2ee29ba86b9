"""The network as three functions of named tensors, and as OpenVINO graphs of them."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from captioner.engines.engine import input_of_weight
from captioner.engines.keras import begin_of, step_of
from captioner.errors import CaptionerError
from captioner.models.decoder import Decoder
from captioner.models.vgg16 import VGG16Encoder
from captioner.presets.network import build_network, named_variables
from captioner.presets.storage import Preset


@dataclass(frozen=True)
class Signature:
    """One function of the network.

    Attributes:
        function: Function that takes tensors in the order of `inputs` and returns a dict of
            tensors.
        inputs: Named `tf.TensorSpec` of each input.
        part: Part with the weights of the function, "encoder" or "decoder".
    """

    function: Callable[..., dict[str, Any]]
    inputs: Sequence[Any]
    part: str


def signatures(encoder: VGG16Encoder, decoder: Decoder) -> dict[str, Signature]:
    """Return the functions "encode", "begin" and "step" of `Engine`.

    In `Engine`, the memory and the state are tuples. Here their parts are separate tensors:
    memory_0, memory_1 and so on, state_0 and so on, and next_state_0 and so on as outputs of a
    step.

    Args:
        encoder: Encoder in float32.
        decoder: A built decoder in float32.

    Raises:
        CaptionerError: If Keras runs on another backend than TensorFlow.
    """
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise CaptionerError(
            f"export needs TensorFlow, but Keras runs on {backend} here; put "
            "KERAS_BACKEND=tensorflow before the command"
        )
    height, width = encoder.image_size
    frames = tf.TensorSpec((None, None, height, width, 3), "uint8", "frames")
    features = tf.TensorSpec(
        (None, None, encoder.locations, encoder.channels), "float32", "features"
    )
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
    """Return specs of tensors with first axes of any length: clips, for states also sentences."""
    return tuple(
        tf.TensorSpec((None,) * axes + tuple(part.shape[axes:]), part.dtype, name)
        for name, part in _named(parts, prefix).items()
    )


def can_export() -> bool:
    """Return True if graphs can be made: with openvino, on Keras' TensorFlow backend."""
    return keras.backend.backend() == "tensorflow" and find_spec("openvino") is not None


def with_graphs(preset: Preset) -> Preset:
    """Return the preset with graphs of its network."""
    return replace(preset, graphs=export_graphs(*build_network(preset)))


def export_graphs(encoder: VGG16Encoder, decoder: Decoder) -> dict[str, bytes]:
    """Trace the network as OpenVINO graphs.

    Args:
        encoder: Encoder in float32; only its structure is used, not its weights.
        decoder: A built decoder in float32.

    Returns:
        Files of a preset by name, "openvino_encode.xml" and so on.
    """
    import openvino as ov

    variables = named_variables(encoder, decoder)
    files = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, signature in signatures(encoder, decoder).items():
            xml = Path(folder) / f"openvino_{name}.xml"
            ov.serialize(_convert(signature, variables), xml)
            files.update({path.name: path.read_bytes() for path in (xml, xml.with_suffix(".bin"))})
    return files


def _convert(signature: Signature, variables: dict[str, Any]) -> Any:
    """Return an OpenVINO model of a function, with the weights as its last inputs."""
    import openvino as ov
    import tensorflow as tf

    names = [name for name in variables if name.startswith(f"{signature.part}/")]
    weights = [
        tf.TensorSpec(variables[name].shape, "float32", input_of_weight(name)) for name in names
    ]
    count = len(signature.inputs)

    def stateless(*inputs: Any) -> Any:
        mapping = [(variables[n], value) for n, value in zip(names, inputs[count:], strict=True)]
        with keras.StatelessScope(state_mapping=mapping):
            return signature.function(*inputs[:count])

    traced = tf.function(stateless).get_concrete_function(*signature.inputs, *weights)
    with tempfile.TemporaryDirectory() as folder:
        # ov.convert_model would not need these files, but it sends telemetry.
        tf.saved_model.save(tf.Module(), folder, signatures=traced)
        model = ov.Core().read_model(folder)
    there = {name for port in model.outputs for name in port.names}
    if lost := sorted(traced.structured_outputs.keys() - there):
        raise ValueError(f"{lost} must be computed, not be inputs that pass unchanged")
    public = {spec.name for spec in (*signature.inputs, *weights)} | {*traced.structured_outputs}
    _drop_names(model, public)
    return model


def _drop_names(model: Any, public: set[str]) -> None:
    """Drop all names but public ones; Keras' names depend on earlier builds in the process."""
    for number, node in enumerate(model.get_ordered_ops()):
        node.set_friendly_name(f"{node.get_type_name()}_{number}")
        for port in node.outputs():
            port.get_tensor().set_names(port.get_tensor().get_names() & public)
