"""Export of a preset's network to other formats; each export is run and compared with Keras."""

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from captioner.errors import CaptionerError
from captioner.exports.graphs import Signature, export_graphs, signatures
from captioner.models.decoder import Decoder
from captioner.models.vgg16 import VGG16Encoder
from captioner.presets.network import build_network
from captioner.presets.storage import Preset
from captioner.replacing import replacing_folder

# Largest absolute difference; for arrays with values above 1, relative to the largest value.
TOLERANCE = 1e-3
# Calls a function of the network, by its name, on named arrays.
Runner = Callable[[str, Mapping[str, np.ndarray]], dict[str, np.ndarray]]


@dataclass(frozen=True)
class Network:
    """A preset's network in float32, for export.

    Attributes:
        preset: Preset of the network.
        encoder: A `VGG16Encoder`.
        decoder: A built decoder.
        signatures: Functions of the network by name.
    """

    preset: Preset
    encoder: VGG16Encoder
    decoder: Decoder
    signatures: Mapping[str, Signature]

    @classmethod
    def of(cls, preset: Preset) -> "Network":
        """Build the network of a preset."""
        encoder, decoder = build_network(preset)
        return cls(preset, encoder, decoder, signatures(encoder, decoder))

    def run(self, name: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Call a function in Keras; this method is a `Runner`."""
        signature = self.signatures[name]
        outputs = signature.function(*(inputs[spec.name] for spec in signature.inputs))
        return {name: np.asarray(output) for name, output in outputs.items()}


def export_preset(preset: Preset, format_name: str, folder: str | Path) -> float:
    """Write the functions encode, begin and step, with the vocabulary and the config.

    Args:
        preset: Preset from `read_preset`.
        format_name: One of `FORMATS`.
        folder: New or empty folder.

    Returns:
        The largest difference from Keras.

    Raises:
        CaptionerError: If the folder is not empty, a package is missing, or the outputs of the
            export differ from those of Keras; then nothing is written.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CaptionerError(f"{folder} is not empty: choose another folder")
    try:
        write, load = FORMATS[format_name]
        network = Network.of(preset)
        with replacing_folder(folder) as partial:
            write(network, partial)
            difference = compare(network.run, load(partial), network)
            preset.vocabulary.save(partial / "vocabulary.json")
            config = json.dumps(preset.config, indent=1)
            (partial / "config.json").write_text(config + "\n", encoding="utf-8")
    except ImportError as error:
        raise CaptionerError(
            f"export to {format_name} needs {error.name}: `pip install 'captioner[export]'`"
        ) from error
    return difference


def compare(expected: Runner, found: Runner, network: Network) -> float:
    """Run two forms of a network on two clips, for two steps, and compare all outputs.

    Args:
        expected: Runner of the network in Keras.
        found: Runner of the other form.
        network: Network of both.

    Returns:
        The largest difference.

    Raises:
        CaptionerError: If it exceeds `TOLERANCE`.
    """
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (2, 1, *network.encoder.image_size, 3), dtype=np.uint8)
    largest = 0.0

    def both(name: str, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        nonlocal largest
        arrays = {key: np.asarray(array) for key, array in inputs.items()}
        wanted, got = expected(name, arrays), found(name, arrays)
        for key, array in wanted.items():
            if array.shape != got[key].shape:
                raise CaptionerError(f"{name}: {key} has shape {got[key].shape}, not {array.shape}")
            if array.dtype.kind == "f":
                scale = max(1.0, float(np.abs(array).max()))
                largest = max(largest, float(np.abs(array - got[key]).max()) / scale)
        if not largest <= TOLERANCE:
            raise CaptionerError(
                f"the outputs of the export differ from Keras by {largest:.2g} in {name}: export "
                "to another format, and report this with the versions of both libraries"
            )
        return wanted

    features = both("encode", {"frames": frames})["features"]
    begun = both("begin", {"features": features, "frame_mask": np.ones((2, 1), bool)})
    memory = {key: array for key, array in begun.items() if key.startswith("memory_")}
    state = {
        key: np.repeat(array, 3, axis=1) for key, array in begun.items() if key.startswith("state_")
    }
    vocabulary = network.preset.vocabulary
    penalty = np.zeros(len(vocabulary), np.float32)
    penalty[vocabulary.pad_id] = -1e9
    token_ids = np.full((2, 3), vocabulary.start_id, np.int32)
    for _ in range(2):
        inputs = {"token_ids": token_ids, "penalty": penalty, "count": np.int32(3)}
        outputs = both("step", {**inputs, **state, **memory})
        token_ids = outputs["words"][:, 0]  # three different words
        state = {key: outputs[f"next_{key}"] for key in state}
    return largest


def write_openvino(network: Network, folder: Path) -> None:
    """Write the network as OpenVINO models."""
    import openvino as ov

    from captioner.engines.openvino import read_graph

    graphs = export_graphs(network.encoder, network.decoder)
    for name in network.signatures:
        model = read_graph(ov.Core(), graphs, name, network.preset.weights)
        # The weights are float16 already.
        ov.save_model(model, folder / f"{name}.xml", compress_to_fp16=False)


def load_openvino(folder: Path) -> Runner:
    """Load the files of `write_openvino`."""
    import openvino as ov

    options = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = {
        path.stem: ov.Core().compile_model(path, "CPU", options) for path in folder.glob("*.xml")
    }

    def run(name: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {
            name: array
            for port, array in compiled[name](dict(inputs)).items()
            for name in port.names
        }

    return run


_OPSET = 18


def write_onnx(network: Network, folder: Path) -> None:
    """Write the network as ONNX models."""
    import tensorflow as tf
    import tf2onnx

    for name, signature in network.signatures.items():
        specs = list(signature.inputs)
        function = tf.function(signature.function, input_signature=specs)
        tf2onnx.convert.from_function(function, specs, _OPSET, output_path=folder / f"{name}.onnx")


def load_onnx(folder: Path) -> Runner:
    """Load the files of `write_onnx`."""
    import onnxruntime

    sessions = {
        path.stem: onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        for path in folder.glob("*.onnx")
    }

    def run(name: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        names = [output.name for output in sessions[name].get_outputs()]
        return dict(zip(names, sessions[name].run(names, dict(inputs)), strict=True))

    return run


def write_saved_model(network: Network, folder: Path) -> None:
    """Write the network as a TensorFlow SavedModel."""
    import tensorflow as tf

    # keras.export.ExportArchive writes each variable twice.
    module = tf.Module()
    module.weights = [v.value for part in (network.encoder, network.decoder) for v in part.weights]
    traced = {
        name: tf.function(signature.function).get_concrete_function(*signature.inputs)
        for name, signature in network.signatures.items()
    }
    tf.saved_model.save(module, folder, signatures=traced)


def load_saved_model(folder: Path) -> Runner:
    """Load the files of `write_saved_model`."""
    import tensorflow as tf

    loaded = tf.saved_model.load(folder)

    def run(name: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        outputs = loaded.signatures[name](**{key: tf.constant(x) for key, x in inputs.items()})
        return {key: output.numpy() for key, output in outputs.items()}

    return run


_LITERT_FILE = "model.tflite"


def write_litert(network: Network, folder: Path) -> None:
    """Write the network as a LiteRT model."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as whole:
        write_saved_model(network, Path(whole))
        converter = tf.lite.TFLiteConverter.from_saved_model(
            whole, signature_keys=list(network.signatures)
        )
        (folder / _LITERT_FILE).write_bytes(converter.convert())


def load_litert(folder: Path) -> Runner:
    """Load the file of `write_litert`."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(folder / _LITERT_FILE))

    def run(name: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        outputs: dict[str, np.ndarray] = interpreter.get_signature_runner(name)(**inputs)
        return outputs

    return run


# The writer and the loader of each format.
FORMATS: Mapping[str, tuple[Callable[[Network, Path], None], Callable[[Path], Runner]]] = {
    "openvino": (write_openvino, load_openvino),
    "onnx": (write_onnx, load_onnx),
    "saved_model": (write_saved_model, load_saved_model),
    "litert": (write_litert, load_litert),
}
