"""Activity recognition of LRCN: VGG16 looks at each frame, an LSTM at all of them."""

from typing import Any

import keras
from keras import ops

from captioner.errors import CaptionerError
from captioner.vision.activity_head import ActivityHead

_AXES = ("batch", "time", "height", "width", "channels")
_TIME = 1


class ActivityRecognizer(keras.Model):
    """Tells which of some activities a clip shows.

    Args:
        head: Reads the features of the frames, such as an `LSTMHead`.
        encoder: Makes features of frames: a `VGG16Encoder`, a `PerFrame`, or whatever maps
            (B, T, H, W, 3) to (B, T, H, W, C), (B, T, P, C) of a square grid or (B, T, C), such as
            keras.layers.TimeDistributed of a network or a network of wrapped layers; frozen or
            trained as its layers are. None where the clips are features already.
        max_frames: Frames that a clip has at most; None for any number.

    Call arguments:
        inputs: (B, T, H, W, C), uint8 pictures in RGB or, without an encoder, features; or a dict
            of such `frames` and of their `frame_mask`, bool (B, T), which is False for the padding
            behind a clip that is shorter than others of its batch.

    Returns:
        Probabilities of the labels, float32 (B, K): the softmax at each step, averaged over time.

    Raises:
        CaptionerError: If the input's rank, its number of frames or its mask is wrong.

    Source: Donahue et al. 2015, https://arxiv.org/abs/1411.4389, section 4.1.

    Example:
        >>> import numpy as np
        >>> from captioner.vision.encoder import VGG16Encoder
        >>> from captioner.vision.heads import LSTMHead
        >>> model = ActivityRecognizer(LSTMHead(classes=10, units=8), VGG16Encoder(weights=None))
        >>> model(np.zeros((1, 4, 224, 224, 3), "uint8")).shape
        TensorShape([1, 10])
    """

    def __init__(
        self,
        head: ActivityHead,
        encoder: Any = None,
        max_frames: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.head = head
        self.encoder = encoder
        self.max_frames = max_frames

    def build(self, input_shape: Any) -> None:
        """Do nothing: the parts build themselves when they are called."""
        self.built = True

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """See the class; checked here, where the error is not yet wrapped by Keras."""
        frames, mask = _parts(inputs)
        self._check(tuple(frames.shape), None if mask is None else tuple(mask.shape))
        return super().__call__(inputs, *args, **kwargs)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """See the class."""
        frames, mask = _parts(inputs)
        features = frames if self.encoder is None else self.encoder(frames)
        return self.head(_as_grid(features), mask, training=training)

    def _check(self, shape: tuple[int | None, ...], mask: tuple[int | None, ...] | None) -> None:
        wanted = f"({', '.join(_AXES)})"
        if len(shape) != len(_AXES):
            mend = "for a single clip, give clip[None]" if len(shape) == 4 else "reshape it"
            raise CaptionerError(
                f"clips of shape {shape} have {len(shape)} axes; {len(_AXES)} are expected, "
                f"{wanted}, axis {_TIME} being time: {mend}"
            )
        time, least = shape[_TIME], self.head.shortest
        if time is not None and not least <= time <= (self.max_frames or time):
            most = self.max_frames or "any number"
            raise CaptionerError(
                f"clips of shape {shape} have {time} frames on axis {_TIME} of {wanted}; "
                f"{least} to {most} are expected: sample as many from the clip"
            )
        fits = mask is None or (len(mask) == 2 and all(map(_equal, mask, shape)))
        if not fits:
            raise CaptionerError(
                f"a frame_mask of shape {mask} does not fit clips of shape {shape}: (batch, time), "
                f"{shape[:2]}, is expected"
            )


def _equal(side: int | None, other: int | None) -> bool:
    return None in (side, other) or side == other


def _parts(inputs: Any) -> tuple[Any, Any]:
    """Frames and mask."""
    if isinstance(inputs, dict):
        return inputs["frames"], inputs.get("frame_mask")
    return inputs, None


def _as_grid(features: Any) -> Any:
    """(B, T, H, W, C) of features in whatever form encoders have them."""
    *_, places, channels = features.shape
    if len(features.shape) == 5:
        return features
    side = round(places**0.5) if len(features.shape) == 4 else 1
    return ops.reshape(features, (*ops.shape(features)[:2], side, side, channels))
