"""The eye: VGG16 without its classifier, one feature vector for each place of each frame."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
from keras import ops

from captioner.errors import CaptionerError

# Caffe preprocessing, as in Simonyan and Zisserman's release: BGR minus the mean of ImageNet.
_IMAGENET_MEAN_BGR = (103.939, 116.779, 123.68)
_GRIDS = {7: "block5_pool", 14: "block5_conv3"}
_BLOCKS = ("block1", "block2", "block3", "block4", "block5")
FILTERS = (64, 128, 256, 512, 512)  # of the convolutions of each block
_CONVOLUTIONS = (2, 2, 3, 3, 3)  # in each block


class VGG16Encoder(keras.layers.Layer):
    """VGG16 applied to every frame, giving a grid of feature vectors.

    Frames share the weights, as in TimeDistributed(VGG16); since no layer of VGG16 mixes the items
    of a batch, the frames are simply folded into the batch axis, which is the same and faster.

    Args:
        grid: Places along each side: 7 (after the last pooling) or 14 (the last convolution).
        weights: "imagenet" (downloaded by Keras), the path of a Keras weight file of VGG16
            without its top, or None for random weights that a preset will replace.
        trainable_from: None for a frozen encoder, or the first block that training changes:
            "block1" to "block5".
        filters: Channels of the convolutions of each block, C being the last; other numbers than
            VGG16's make a small network of the same form, such as tests are fast with.
        kwargs: Arguments of a Keras layer.

    Call arguments:
        images: uint8 or float (B, T, 224, 224, 3), RGB in 0..255.

    Returns:
        (B, T, P, C) in the layer's compute dtype; P = grid * grid, row by row.

    Raises:
        CaptionerError: If the weight file is missing or is not one of VGG16 without top.

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
            # keras.applications builds in the global policy; the encoder's own is meant.
            layer.dtype_policy = self.dtype_policy
            layer.trainable = trainable_from is not None and layer.name >= trainable_from
        self.built = True

    @property
    def options(self) -> dict[str, Any]:
        """The arguments by which a preset describes its encoder."""
        own = {} if self.filters == FILTERS else {"filters": list(self.filters)}
        return {"grid": self.grid, **own}

    @property
    def places(self) -> int:
        """Feature vectors in each frame."""
        return self.grid * self.grid

    @property
    def features_shape(self) -> tuple[int, int]:
        """The shape of the features of a frame, (P, C)."""
        return self.places, self.channels

    def call(self, images: Any) -> Any:
        """See the class."""
        batch, frames, height, width, _ = ops.shape(images)
        x = ops.reshape(images, (-1, height, width, 3))  # (B*T, H, W, 3)
        x = self.backbone(caffe_preprocess(x))  # (B*T, grid, grid, C)
        return ops.reshape(x, (batch, frames, self.places, self.channels))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape that `call` gives."""
        return (*input_shape[:2], self.places, self.channels)

    def fingerprint(self) -> str:
        """Return the sha256 of the weights and the grid: equal exactly when the features are.

        Of the weights in half precision, as presets keep them: a preset has the features of the
        VGG16 that it was trained on.
        """
        digest = hashlib.sha256(f"vgg16 caffe grid={self.grid}".encode())
        for variable in self.backbone.variables:
            rounded = ops.convert_to_numpy(variable.value).astype("float16")
            digest.update(rounded.astype("float32").tobytes())
        return digest.hexdigest()


def caffe_preprocess(images: Any) -> Any:
    """Return what VGG16 reads of RGB images in 0..255: float32 BGR, minus ImageNet's mean."""
    bgr = ops.flip(ops.cast(images, "float32"), axis=-1)
    return bgr - ops.array(_IMAGENET_MEAN_BGR, "float32")


def _load_vgg16(weights: str | Path | None, filters: tuple[int, ...]) -> keras.Model:
    """Build VGG16 without its top, and turn what can go wrong into a sentence."""
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
        raise CaptionerError(
            f"VGG16 weights {weights}: they could not be loaded ({error}); give a Keras .h5 file "
            "of VGG16 without its top"
        ) from error


def _build_blocks(filters: tuple[int, ...]) -> keras.Model:
    """Return the blocks of VGG16 with other numbers of channels; layers have the same names."""
    x = images = keras.Input((*VGG16Encoder.image_size, 3))
    for block, count, width in zip(_BLOCKS, _CONVOLUTIONS, filters, strict=True):
        for number in range(1, count + 1):
            name = f"{block}_conv{number}"
            x = keras.layers.Conv2D(width, 3, padding="same", activation="relu", name=name)(x)
        x = keras.layers.MaxPooling2D(2, name=f"{block}_pool")(x)
    return keras.Model(images, x)
