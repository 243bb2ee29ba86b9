"""ONNX: encode.onnx, begin.onnx and step.onnx, float32."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from captioner.exports.export import Network, Runner

_OPSET = 18


def write(network: Network, folder: Path) -> None:
    """Write the network."""
    import tensorflow as tf
    import tf2onnx

    for name, signature in network.signatures.items():
        specs = list(signature.inputs)
        function = tf.function(signature.function, input_signature=specs)
        tf2onnx.convert.from_function(function, specs, _OPSET, output_path=folder / f"{name}.onnx")


def load(folder: Path) -> Runner:
    """Run what `write` wrote."""
    import onnxruntime

    sessions = {
        path.stem: onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        for path in folder.glob("*.onnx")
    }

    def run(name: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        names = [output.name for output in sessions[name].get_outputs()]
        return dict(zip(names, sessions[name].run(names, dict(inputs)), strict=True))

    return run
