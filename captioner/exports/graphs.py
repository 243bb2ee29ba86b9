"""The network as OpenVINO graphs, for an engine that needs neither TensorFlow nor Keras.

They are traced from the Keras network itself. Its weights are inputs of the graphs, not parts: a
preset thus holds every weight once, in model.safetensors, as small as float16 makes it and readable
by any tool, instead of a second time in OpenVINO's order and format (29 MB more for VGG16 alone).
The alternative, constants that point into model.safetensors by their offset, does not work:
conversion transposes the kernels of convolutions. Here OpenVINO transposes when it compiles.
"""

import tempfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras

from captioner.decoders.decoder import Decoder
from captioner.engines.graph_names import input_of_weight
from captioner.exports.functions import Signature, signatures
from captioner.presets.network import build_network, named_variables
from captioner.presets.storage import Preset
from captioner.vision.encoder import VGG16Encoder


def can_export() -> bool:
    """Whether graphs can be made here: with openvino, under Keras' TensorFlow backend."""
    return keras.backend.backend() == "tensorflow" and find_spec("openvino") is not None


def with_graphs(preset: Preset) -> Preset:
    """Return the preset with graphs of its network."""
    return replace(preset, graphs=export_graphs(*build_network(preset)))


def export_graphs(encoder: VGG16Encoder, decoder: Decoder) -> dict[str, bytes]:
    """Traces the network.

    Args:
        encoder: In float32; only its structure matters, not its weights.
        decoder: Built, in float32.

    Returns:
        The files of a preset by name, "openvino_encode.xml" and so on.
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
    """Return an OpenVINO model of a function whose last inputs are the weights that it uses."""
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
        # ov.convert_model would do without these files, but reports its use to its makers.
        tf.saved_model.save(tf.Module(), folder, signatures=traced)
        model = ov.Core().read_model(folder)
    there = {name for port in model.outputs for name in port.names}
    if lost := sorted(traced.structured_outputs.keys() - there):
        raise ValueError(f"{lost} must be computed, not be inputs that pass unchanged")
    public = {spec.name for spec in (*signature.inputs, *weights)} | {*traced.structured_outputs}
    _drop_names(model, public)
    return model


def _drop_names(model: Any, public: set[str]) -> None:
    """Drop all names but the public ones: Keras' tell what was built before in this process."""
    for number, node in enumerate(model.get_ordered_ops()):
        node.set_friendly_name(f"{node.get_type_name()}_{number}")
        for port in node.outputs():
            port.get_tensor().set_names(port.get_tensor().get_names() & public)
