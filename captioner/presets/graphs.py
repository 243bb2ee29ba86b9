"""The network as OpenVINO graphs, for an engine that needs neither TensorFlow nor Keras.

They are traced from the Keras network itself. Its weights are inputs of the graphs, not parts: a
preset thus holds every weight once, in model.safetensors, as small as float16 makes it and readable
by any tool, instead of a second time in OpenVINO's order and format (29 MB more for VGG16 alone).
The alternative, constants that point into model.safetensors by their offset, does not work:
conversion transposes the kernels of convolutions. Here OpenVINO transposes when it compiles.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras

from captioner.decoders.decoder import Decoder
from captioner.engines.keras import begin_of, step_of
from captioner.presets.network import build_network, named_variables
from captioner.presets.storage import Preset
from captioner.vision.encoder import VGG16Encoder


def can_export() -> bool:
    """Whether graphs can be made here: with openvino, under Keras' TensorFlow backend."""
    return keras.backend.backend() == "tensorflow" and find_spec("openvino") is not None


def export_graphs(encoder: VGG16Encoder, decoder: Decoder) -> dict[str, bytes]:
    """Traces the network.

    Args:
        encoder: In float32; only its structure matters, not its weights.
        decoder: Built, in float32.

    Returns:
        The files of a preset by name, "openvino_encode.xml" and so on.
    """
    import tensorflow as tf

    height, width = encoder.image_size
    frames = tf.TensorSpec((None, None, height, width, 3), "uint8", "frames")
    features = tf.TensorSpec((None, None, encoder.places, encoder.channels), "float32", "features")
    mask = tf.TensorSpec((None, None), "bool", "frame_mask")
    begin = begin_of(decoder)
    memory, state = tf.function(begin).get_concrete_function(features, mask).structured_outputs
    memory_specs = _named_specs(keras.tree.flatten(memory), "memory_")
    state_specs = _named_specs(state, "state_", axes=2)
    step = step_of(decoder)

    def named_begin(features: Any, frame_mask: Any) -> dict[str, Any]:
        memory, state = begin(features, frame_mask)
        return {**_named(keras.tree.flatten(memory), "memory_"), **_named(state, "state_")}

    def named_step(token_ids: Any, penalty: Any, count: Any, *rest: Any) -> dict[str, Any]:
        state, parts = rest[: len(state_specs)], rest[len(state_specs) :]
        packed = keras.tree.pack_sequence_as(memory, parts)
        words, log_probs, state, attention = step(token_ids, state, packed, penalty, count)
        outputs = {"words": words, "log_probs": log_probs, **_named(state, "next_state_")}
        return outputs if attention is None else {**outputs, "attention": attention}

    step_specs = [
        tf.TensorSpec((None, None), "int32", "token_ids"),
        tf.TensorSpec((decoder.vocabulary_size,), "float32", "penalty"),
        tf.TensorSpec((), "int32", "count"),
        *state_specs,
        *memory_specs,
    ]
    variables = named_variables(encoder, decoder)
    return {
        **_files("encode", _convert(encoder, [frames], variables, "encoder/")),
        **_files("begin", _convert(named_begin, [features, mask], variables, "decoder/")),
        **_files("step", _convert(named_step, step_specs, variables, "decoder/")),
    }


def with_graphs(preset: Preset) -> Preset:
    """The preset with graphs of its network."""
    return replace(preset, graphs=export_graphs(*build_network(preset)))


def _convert(
    function: Callable[..., Any], specs: Sequence[Any], variables: dict[str, Any], part: str
) -> Any:
    """An OpenVINO model of a function whose last inputs are the weights that it uses."""
    import openvino as ov
    import tensorflow as tf

    names = [name for name in variables if name.startswith(part)]
    # OpenVINO keeps dots in names, TensorFlow would make underscores of slashes.
    weights = [
        tf.TensorSpec(variables[name].shape, "float32", name.replace("/", ".")) for name in names
    ]

    def stateless(*inputs: Any) -> Any:
        values = inputs[len(specs) :]
        mapping = [(variables[name], value) for name, value in zip(names, values, strict=True)]
        with keras.StatelessScope(state_mapping=mapping):
            return function(*inputs[: len(specs)])

    traced = tf.function(stateless).get_concrete_function(*specs, *weights)
    model = ov.convert_model(traced)
    if isinstance(traced.structured_outputs, dict):
        lost = set(traced.structured_outputs) - {
            name for port in model.outputs for name in port.names
        }
        if lost:
            raise ValueError(f"{sorted(lost)} must be computed, not be inputs that pass unchanged")
    return model


def _files(name: str, model: Any) -> dict[str, bytes]:
    import openvino as ov

    with tempfile.TemporaryDirectory() as folder:
        xml = Path(folder) / f"openvino_{name}.xml"
        ov.serialize(model, xml)
        return {path.name: path.read_bytes() for path in (xml, xml.with_suffix(".bin"))}


def _named(parts: Sequence[Any], prefix: str) -> dict[str, Any]:
    return {f"{prefix}{index}": part for index, part in enumerate(parts)}


def _named_specs(parts: Sequence[Any], prefix: str, axes: int = 1) -> list[Any]:
    """Specs of tensors whose first axes have any length: clips, and of a state also sentences."""
    import tensorflow as tf

    return [
        tf.TensorSpec((None,) * axes + tuple(part.shape[axes:]), part.dtype, name)
        for name, part in _named(parts, prefix).items()
    ]
