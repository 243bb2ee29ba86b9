"""A network of single frames, applied to every frame of every clip."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("captioner")
class PerFrame(keras.layers.Layer):
    """Applies a network to each frame of a clip, all frames sharing its weights.

    The same as keras.layers.TimeDistributed(network), and faster: the frames are folded into the
    batch axis and go through the network together, where TimeDistributed takes one after the other.
    The network must not mix the items of a batch in any other way than frames may be mixed, too.

    Args:
        network: Built, of one input (N, ...) and one output (N, ...).

    Call arguments:
        frames: (B, T, ...).

    Returns:
        (B, T, ...).

    Example:
        >>> import numpy as np
        >>> network = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3)])
        >>> PerFrame(network)(np.zeros((2, 5, 8, 8, 3))).shape
        TensorShape([2, 5, 6, 6, 4])
    """

    def __init__(self, network: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.network = network

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Nothing is left to create: the network is built."""
        self.built = True

    def call(self, frames: Any) -> Any:
        """See the class."""
        batch, time, *rest = ops.shape(frames)
        x = self.network(ops.reshape(frames, (-1, *rest)))  # (B*T, ...)
        return ops.reshape(x, (batch, time, *ops.shape(x)[1:]))

    @property
    def features_shape(self) -> tuple[int, ...]:
        """What the network gives for each frame."""
        shape: tuple[int, ...] = self.network.output_shape[1:]
        return shape

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape that `call` gives."""
        _, *rest = self.network.compute_output_shape((None, *input_shape[2:]))
        return (*input_shape[:2], *rest)

    def get_config(self) -> dict[str, Any]:
        """What builds the same layer, without the network's weights."""
        network = keras.saving.serialize_keras_object(self.network)
        return {**super().get_config(), "network": network}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "PerFrame":
        """The layer that `get_config` describes."""
        network = keras.saving.deserialize_keras_object(config.pop("network"))
        return cls(network=network, **config)


def wrap_layers(network: keras.Sequential) -> keras.Sequential:
    """The network as a model of clips in which each layer is wrapped in TimeDistributed.

    The other way to write keras.layers.TimeDistributed(network); the weights are the same
    variables, and so are the outputs.

    Args:
        network: Built layers in a row, of frames (N, ...).

    Returns:
        A model of clips (B, T, ...).

    Example:
        >>> import numpy as np
        >>> network = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3)])
        >>> wrap_layers(network)(np.zeros((2, 5, 8, 8, 3))).shape
        TensorShape([2, 5, 6, 6, 4])
    """
    wrapped = [keras.layers.TimeDistributed(layer) for layer in network.layers]
    return keras.Sequential([keras.Input((None, *network.input_shape[1:])), *wrapped])
