"""VGG16 cut in two where training begins: what is frozen need be computed only once."""

import hashlib
from typing import Any

import keras
import numpy as np
from keras import ops

from captioner.errors import CaptionerError
from captioner.vision.encoder import VGG16Encoder, caffe_preprocess

_STRIDE = 32  # pixels a side that become one place


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
        """Return the shape that `call` gives."""
        _, *rest = self.network.compute_output_shape((None, *input_shape[2:]))
        return (*input_shape[:2], *rest)


class FrozenBlocks(keras.layers.Layer):
    """The blocks of VGG16 that training leaves as they are, on every frame.

    Args:
        encoder: A `VGG16Encoder`, whose `trainable_from` says where it is cut: frozen as a whole,
            or from block2 up.
        side: Height and width of the frames in pixels, a multiple of 32. VGG16 works at any size:
            160 costs half the time of its 224, and has 5 x 5 places instead of 7 x 7.

    Call arguments:
        frames: uint8 or float (B, T, side, side, 3), RGB in 0..255.

    Returns:
        (B, T, H, W, C) in the encoder's compute dtype.

    Raises:
        CaptionerError: If nothing is frozen, or the side is none of VGG16's.

    Example:
        >>> FrozenBlocks(VGG16Encoder(weights=None, trainable_from="block5"), 160).features_shape
        (10, 10, 512)
    """

    def __init__(self, encoder: VGG16Encoder, side: int = 224, **kwargs: Any) -> None:
        super().__init__(dtype=encoder.dtype_policy, **kwargs)
        if side < _STRIDE or side % _STRIDE:
            raise CaptionerError(f"frames of {side} pixels a side: choose a multiple of {_STRIDE}")
        if encoder.trainable_from == "block1":
            raise CaptionerError("trainable_from is block1: freeze block1 at least")
        self.image_size = (side, side)
        layers = [layer for layer in encoder.backbone.layers[1:] if not layer.trainable]
        self.network = _chain(layers, (side, side, 3))
        self.features_shape: tuple[int, ...] = self.network.output_shape[1:]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Nothing is left to create: the network is built."""
        self.built = True

    def call(self, frames: Any) -> Any:
        """See the class."""
        batch, time, height, width, _ = ops.shape(frames)
        x = caffe_preprocess(ops.reshape(frames, (-1, height, width, 3)))  # (B*T, H, W, 3)
        return ops.reshape(self.network(x), (batch, time, *self.features_shape))

    def fingerprint(self) -> str:
        """Return the sha256 of the weights and the shape: equal where the features are.

        Of the weights in float16, so that they are known again where they were stored so.
        """
        digest = hashlib.sha256(f"vgg16 caffe {self.image_size} {self.features_shape}".encode())
        for variable in self.network.variables:
            digest.update(ops.convert_to_numpy(variable.value).astype(np.float16).tobytes())
        return digest.hexdigest()


def trained_blocks(encoder: VGG16Encoder, frozen: FrozenBlocks) -> PerFrame | None:
    """Return the blocks that training changes, above the frozen ones; None without any.

    Example:
        >>> encoder = VGG16Encoder(weights=None, trainable_from="block5")
        >>> trained_blocks(encoder, FrozenBlocks(encoder)).compute_output_shape((1, 2, 14, 14, 512))
        (1, 2, 7, 7, 512)
    """
    layers = [layer for layer in encoder.backbone.layers[1:] if layer.trainable]
    return PerFrame(_chain(layers, frozen.features_shape)) if layers else None


def _chain(layers: list[Any], shape: tuple[int, ...]) -> keras.Model:
    """Return the same layers, one after the other, for an input of another size."""
    x = first = keras.Input(shape)
    for layer in layers:
        x = layer(x)
    return keras.Model(first, x)
