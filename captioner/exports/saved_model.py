"""A TensorFlow SavedModel with the signatures encode, begin and step, float32."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from captioner.exports.export import Network, Runner


def write(network: Network, folder: Path) -> None:
    """Write the network."""
    import tensorflow as tf

    # keras.export.ExportArchive writes each variable twice.
    module = tf.Module()
    module.weights = [v.value for part in (network.encoder, network.decoder) for v in part.weights]
    traced = {
        name: tf.function(signature.function).get_concrete_function(*signature.inputs)
        for name, signature in network.signatures.items()
    }
    tf.saved_model.save(module, folder, signatures=traced)


def load(folder: Path) -> Runner:
    """Run what `write` wrote."""
    import tensorflow as tf

    loaded = tf.saved_model.load(folder)

    def run(name: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        outputs = loaded.signatures[name](**{key: tf.constant(x) for key, x in inputs.items()})
        return {key: output.numpy() for key, output in outputs.items()}

    return run
