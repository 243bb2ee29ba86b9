"""VGG16 without its classifier, whole or divided into frozen and trained blocks.

The output of frozen blocks needs to be computed only once.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from captioner.errors import CaptionerError

# Caffe preprocessing, as in Simonyan and Zisserman's release: BGR minus the mean of ImageNet.
_IMAGENET_MEAN_BGR = (103.939, 116.779, 123.68)
_GRIDS = {7: "block5_pool", 14: "block5_conv3"}
_BLOCKS = ("block1", "block2", "block3", "block4", "block5")
FILTERS = (64, 128, 256, 512, 512)  # of the convolutions of each block
_CONVOLUTIONS = (2, 2, 3, 3, 3)  # in each block


class VGG16Encoder(keras.layers.Layer):
    """VGG16 applied to every frame, with a grid of feature vectors as output.

    Frames share the weights, as in TimeDistributed(VGG16). Since no layer of VGG16 mixes the items
    of a batch, the frames are folded into the batch axis: the result is the same, but faster.

    Args:
        grid: Locations per side: 7 (after the last pooling) or 14 (the last convolution).
        weights: "imagenet" (downloaded by Keras), the path of a Keras weight file of VGG16
            without its top, or None for random weights that a preset will replace.
        trainable_from: None for a frozen encoder, or the first block to train: "block1" to
            "block5".
        filters: Number of channels of the convolutions of each block; the last is C. Smaller
            numbers than VGG16's make a small network of the same form, for fast tests.
        kwargs: Arguments of a Keras layer.

    Call arguments:
        images: uint8 or float (B, T, 224, 224, 3), RGB in 0..255.

    Returns:
        (B, T, P, C) in the layer's compute dtype; P = grid * grid, row by row.

    Raises:
        CaptionerError: If the weight file is missing or does not fit VGG16 without its top.

    Source: Simonyan and Zisserman 2014, https://arxiv.org/abs/1409.1556.

    Example:
        >>> import numpy as np
        >>> encoder = VGG16Encoder(weights=None)
        >>> encoder(np.zeros((1, 2, 224, 224, 3), "uint8")).shape
        TensorShape([1, 2, 49, 512])
    """

    image_size = (224, 224)

    def __init__(
        self,
        grid: int = 7,
        weights: str | Path | None = "imagenet",
        trainable_from: str | None = None,
        filters: Sequence[int] = FILTERS,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if grid not in _GRIDS:
            raise CaptionerError(f"encoder grid is {grid}: choose one of {sorted(_GRIDS)}")
        if trainable_from is not None and trainable_from not in _BLOCKS:
            raise CaptionerError(
                f"encoder trainable_from is {trainable_from!r}: choose one of "
                f"{', '.join(_BLOCKS)}, or leave it out for a frozen encoder"
            )
        self.grid = grid
        self.trainable_from = trainable_from
        self.filters = tuple(filters)
        self.channels = self.filters[-1]
        vgg16 = _load_vgg16(weights, self.filters)
        self.backbone = keras.Model(vgg16.input, vgg16.get_layer(_GRIDS[grid]).output, name="vgg16")
        for layer in self.backbone.layers:
            # keras.applications builds in the global policy; use the encoder's own.
            layer.dtype_policy = self.dtype_policy
            layer.trainable = trainable_from is not None and layer.name >= trainable_from
        self.built = True

    @property
    def options(self) -> dict[str, Any]:
        """The arguments that a preset stores for its encoder."""
        own = {} if self.filters == FILTERS else {"filters": list(self.filters)}
        return {"grid": self.grid, **own}

    @property
    def locations(self) -> int:
        """Number of feature vectors in each frame."""
        return self.grid * self.grid

    @property
    def features_shape(self) -> tuple[int, int]:
        """The shape of the features of a frame, (P, C)."""
        return self.locations, self.channels

    def call(self, images: Any) -> Any:
        """See the class."""
        batch, frames, height, width, _ = ops.shape(images)
        x = ops.reshape(images, (-1, height, width, 3))  # (B*T, H, W, 3)
        x = self.backbone(caffe_preprocess(x))  # (B*T, grid, grid, C)
        return ops.reshape(x, (batch, frames, self.locations, self.channels))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the result of `call`."""
        return (*input_shape[:2], self.locations, self.channels)

    def fingerprint(self) -> str:
        """Return the sha256 of the weights and the grid: equal if and only if the features are.

        The weights are rounded to half precision, as in presets, so that a preset has the same
        fingerprint as the VGG16 that it was trained on.
        """
        digest = hashlib.sha256(f"vgg16 caffe grid={self.grid}".encode())
        for variable in self.backbone.variables:
            rounded = ops.convert_to_numpy(variable.value).astype("float16")
            digest.update(rounded.astype("float32").tobytes())
        return digest.hexdigest()


def caffe_preprocess(images: Any) -> Any:
    """Turn RGB images in 0..255 into VGG16's input: float32 BGR, minus ImageNet's mean."""
    bgr = ops.flip(ops.cast(images, "float32"), axis=-1)
    return bgr - ops.array(_IMAGENET_MEAN_BGR, "float32")


def _load_vgg16(weights: str | Path | None, filters: tuple[int, ...]) -> keras.Model:
    """Build VGG16 without its top; turn errors into CaptionerErrors."""
    if weights not in (None, "imagenet") and not Path(str(weights)).is_file():
        raise CaptionerError(
            f"VGG16 weights {weights}: there is no such file; give the path of a Keras .h5 file of "
            'VGG16 without its top, or "imagenet" to download it'
        )
    try:
        if filters != FILTERS:
            small = _build_blocks(filters)
            if weights is not None:
                small.load_weights(str(weights))
            return small
        return keras.applications.VGG16(
            weights=None if weights is None else str(weights),
            include_top=False,
            input_shape=(*VGG16Encoder.image_size, 3),
        )
    except Exception as error:  # Keras raises a different type for each kind of broken file.
        if weights == "imagenet":
            raise CaptionerError(
                f"VGG16's ImageNet weights could not be downloaded ({error}): give their file with "
                "--weights, or use the VGG16 of the bundled model, which needs no download, with "
                "--set encoder.preset=vgg16_top_down"
            ) from error
        raise CaptionerError(
            f"VGG16 weights {weights}: they could not be loaded ({error}); give a Keras .h5 file "
            "of VGG16 without its top"
        ) from error


def _build_blocks(filters: tuple[int, ...]) -> keras.Model:
    """Build the blocks of VGG16 with other numbers of channels, and the same layer names."""
    x = images = keras.Input((*VGG16Encoder.image_size, 3))
    for block, count, width in zip(_BLOCKS, _CONVOLUTIONS, filters, strict=True):
        for number in range(1, count + 1):
            name = f"{block}_conv{number}"
            x = keras.layers.Conv2D(width, 3, padding="same", activation="relu", name=name)(x)
        x = keras.layers.MaxPooling2D(2, name=f"{block}_pool")(x)
    return keras.Model(images, x)


_STRIDE = 32  # pixels per side of one location


class PerFrame(keras.layers.Layer):
    """Layer that applies a network to each frame of a clip, with shared weights.

    The result is the same as keras.layers.TimeDistributed(network), but faster: the frames are
    folded into the batch axis and pass through the network together, whereas TimeDistributed runs
    them one after another. The network must not mix the items of a batch, unless mixing frames is
    acceptable.

    Args:
        network: Built network with one input (N, ...) and one output (N, ...).

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
        """The shape of the network's output for each frame."""
        shape: tuple[int, ...] = self.network.output_shape[1:]
        return shape

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the result of `call`."""
        _, *rest = self.network.compute_output_shape((None, *input_shape[2:]))
        return (*input_shape[:2], *rest)


class FrozenBlocks(keras.layers.Layer):
    """The frozen blocks of VGG16, applied to every frame.

    Args:
        encoder: `VGG16Encoder`; its `trainable_from` is None, or the first trained block, from
            block2 up.
        side: Height and width of the frames in pixels, a multiple of 32. VGG16 works at any size:
            160 takes half the time of 224, and has 5 x 5 locations instead of 7 x 7.

    Call arguments:
        frames: uint8 or float (B, T, side, side, 3), RGB in 0..255.

    Returns:
        (B, T, H, W, C) in the encoder's compute dtype.

    Raises:
        CaptionerError: If nothing is frozen, or the side is not a multiple of 32.

    Example:
        >>> FrozenBlocks(VGG16Encoder(weights=None, trainable_from="block5"), 160).features_shape
        (10, 10, 512)
    """

    def __init__(self, encoder: VGG16Encoder, side: int = 224, **kwargs: Any) -> None:
        super().__init__(dtype=encoder.dtype_policy, **kwargs)
        if side < _STRIDE or side % _STRIDE:
            raise CaptionerError(
                f"frames have a side of {side} pixels: choose a multiple of {_STRIDE}"
            )
        if encoder.trainable_from == "block1":
            raise CaptionerError("trainable_from is block1: freeze at least block1")
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
        """Return the sha256 of the weights and the shape: equal if the features are.

        The weights are rounded to float16, so that stored float16 weights have the same one.
        """
        digest = hashlib.sha256(f"vgg16 caffe {self.image_size} {self.features_shape}".encode())
        for variable in self.network.variables:
            digest.update(ops.convert_to_numpy(variable.value).astype(np.float16).tobytes())
        return digest.hexdigest()


def trained_blocks(encoder: VGG16Encoder, frozen: FrozenBlocks) -> PerFrame | None:
    """Return the trained blocks, above the frozen ones; None if there are none.

    Example:
        >>> encoder = VGG16Encoder(weights=None, trainable_from="block5")
        >>> trained_blocks(encoder, FrozenBlocks(encoder)).compute_output_shape((1, 2, 14, 14, 512))
        (1, 2, 7, 7, 512)
    """
    layers = [layer for layer in encoder.backbone.layers[1:] if layer.trainable]
    return PerFrame(_chain(layers, frozen.features_shape)) if layers else None


def _chain(layers: list[Any], shape: tuple[int, ...]) -> keras.Model:
    """Connect the same layers in sequence, for an input of another size."""
    x = first = keras.Input(shape)
    for layer in layers:
        x = layer(x)
    return keras.Model(first, x)
