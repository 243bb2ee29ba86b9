"""LiteRT, once TensorFlow Lite: model.tflite with the signatures encode, begin, step, float32."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from captioner.exports import saved_model
from captioner.exports.export import Network, Runner

_FILE = "model.tflite"


def write(network: Network, folder: Path) -> None:
    """Write the network."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as whole:
        saved_model.write(network, Path(whole))
        converter = tf.lite.TFLiteConverter.from_saved_model(
            whole, signature_keys=list(network.signatures)
        )
        (folder / _FILE).write_bytes(converter.convert())


def load(folder: Path) -> Runner:
    """Run what `write` wrote."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(folder / _FILE))

    def run(name: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        outputs: dict[str, np.ndarray] = interpreter.get_signature_runner(name)(**inputs)
        return outputs

    return run
