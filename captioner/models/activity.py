"""LRCN's activity recognition: VGG16 encodes each frame, and an LSTM reads the sequence."""

import math
from typing import Any

import keras
from keras import ops

from captioner.errors import CaptionerError

MOTIONS = ("none", "median", "difference", "both", "change")
_SIDE_BY_SIDE = ("both", "change")  # features, then their motion


class ActivityHead(keras.layers.Layer):
    """Base of heads that classify a clip: the mean over time of the softmax at each step.

    A subclass implements `read`, and creates its weights in `build_reader`.

    Args:
        classes: Number of labels, K.
        motion: Input of `read`: "none" for the features themselves; "median" for their excess
            over the median of the clip; "difference" for their excess over the previous frame;
            "both" for the features and their excess over the median side by side, each divided by
            its root mean square in the clip, so that what moves counts as much as what is there;
            "change" likewise for the features and their absolute difference from the previous
            frame.
        dropout: Share of the features, and of the last layer's inputs, dropped in training.

    Call arguments:
        features: float (B, T, H, W, C), not negative.
        frame_mask: bool (B, T), False for padding frames, which come last; None if there are
            none.

    Returns:
        Probabilities, float32 (B, K).

    Source: Donahue et al. 2015, https://arxiv.org/abs/1411.4389, section 4.1.
    """

    def __init__(
        self, classes: int, motion: str = "median", dropout: float = 0.5, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if motion not in MOTIONS:
            raise CaptionerError(f"motion {motion!r}: choose one of {', '.join(MOTIONS)}")
        self.classes = classes
        self.motion = motion
        self.dropout = dropout
        self.output_dropout = keras.layers.Dropout(
            dropout, dtype=self.dtype_policy, name="output_dropout"
        )
        self.logits = keras.layers.Dense(classes, dtype="float32", name="logits")

    @property
    def shortest(self) -> int:
        """Minimum number of frames in a clip."""
        return 2 if self.motion in ("median", "difference") else 1

    def build_reader(self, height: int, width: int, channels: int) -> int:
        """Create the weights of `read` for features (B, T, height, width, channels).

        Returns:
            Number of values that `read` returns for each frame, D.
        """
        raise NotImplementedError

    def read(self, features: Any, frame_mask: Any, training: bool) -> Any:
        """Turn features (B, T, H, W, C) into inputs (B, T, D) of each step's classifier."""
        raise NotImplementedError

    def build(self, features_shape: tuple[Any, ...], *_: Any) -> None:
        """Create the weights for features of this shape."""
        height, width, channels = features_shape[2:]
        read = 2 * channels if self.motion in _SIDE_BY_SIDE else channels
        self.logits.build((None, None, self.build_reader(height, width, read)))
        self.built = True

    def call(self, features: Any, frame_mask: Any = None, training: bool = False) -> Any:
        """See the class."""
        if frame_mask is None:
            frame_mask = ops.ones(ops.shape(features)[:2], "bool")
        # VGG16's features have a long tail.
        x = ops.log(1 + ops.relu(ops.cast(features, "float32")))
        x, frame_mask = motion_features(x, frame_mask, self.motion)
        x = self.read(ops.relu(x), frame_mask, training)
        steps = ops.softmax(self.logits(self.output_dropout(x, training=training)))  # (B, T, K)
        weight = ops.expand_dims(ops.cast(frame_mask, steps.dtype), -1)
        return ops.sum(steps * weight, axis=1) / ops.sum(weight, axis=1)

    def compute_output_shape(self, features_shape: tuple[Any, ...], *_: Any) -> tuple[Any, ...]:
        """Return the shape of the result of `call`."""
        return (features_shape[0], self.classes)


def motion_features(features: Any, frame_mask: Any, kind: str) -> tuple[Any, Any]:
    """Remove static appearance (place, person) from features.

    Args:
        features: float (B, T, ...).
        frame_mask: bool (B, T), False for padding frames, which come last.
        kind: "none" returns them unchanged; "median" subtracts the median over the clip;
            "difference" subtracts the previous frame from each frame; "both" appends the positive
            part of the second to the first on the last axis, each divided by its root mean square;
            "change" likewise the absolute value of the third, which is 0 in the first frame.

    Returns:
        Features (B, T, ...) and mask (B, T); for differences, T - 1 instead of T; for "both" and
        "change", the last axis is twice as long.

    Example:
        >>> import numpy as np
        >>> features = np.array([[1.0, 5.0, 2.0]])  # (B, T)
        >>> moving, _ = motion_features(features, np.ones((1, 3), bool), "median")
        >>> np.asarray(moving).tolist()
        [[-1.0, 3.0, 0.0]]
    """
    if kind == "difference":
        return features[:, 1:] - features[:, :-1], frame_mask[:, 1:]
    if kind == "median":
        return features - _median(features, frame_mask), frame_mask
    if kind in _SIDE_BY_SIDE:
        moving = (
            ops.relu(features - _median(features, frame_mask))
            if kind == "both"
            else ops.abs(features - ops.concatenate([features[:, :1], features[:, :-1]], axis=1))
        )
        parts = [_divided_by_size(part, frame_mask) for part in (features, moving)]
        return ops.concatenate(parts, axis=-1), frame_mask
    return features, frame_mask


def _divided_by_size(features: Any, frame_mask: Any) -> Any:
    """Divide features (B, T, ...) by their root mean square over the frames without padding."""
    axes = tuple(range(1, len(features.shape)))
    weight = ops.cast(frame_mask, features.dtype)  # (B, T)
    for _ in features.shape[2:]:
        weight = ops.expand_dims(weight, -1)
    power = ops.sum(ops.square(features) * weight, axis=axes, keepdims=True)
    size = math.prod(features.shape[2:]) * ops.sum(weight, axis=axes, keepdims=True)
    return features / ops.sqrt(power / size + 1e-6)


def _median(features: Any, frame_mask: Any) -> Any:
    """Return the median over the frames without padding, (B, 1, ...)."""
    mask = frame_mask
    for _ in features.shape[2:]:
        mask = ops.expand_dims(mask, -1)  # (B, T, 1, ...)
    ordered = ops.sort(ops.where(mask, features, ops.full_like(features, 3e38)), axis=1)
    count = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)  # (B, 1, ...)
    middles = ops.concatenate([(count - 1) // 2, count // 2], axis=1)  # (B, 2, ...)
    middles = ops.broadcast_to(middles, (*ops.shape(middles)[:2], *ops.shape(features)[2:]))
    return ops.mean(ops.take_along_axis(ordered, middles, axis=1), axis=1, keepdims=True)


_AXES = ("batch", "time", "height", "width", "channels")
_TIME = 1


class ActivityRecognizer(keras.Model):
    """Classifier of the activity in a clip.

    Args:
        head: Head that reads the features of the frames, such as an `LSTMHead`.
        encoder: Encoder of the frames: a `VGG16Encoder`, a `PerFrame`, or any layer that maps
            (B, T, H, W, 3) to (B, T, H, W, C), (B, T, P, C) of a square grid or (B, T, C), such as
            keras.layers.TimeDistributed of a network or a network of wrapped layers; its layers
            may be frozen or trained. None if the inputs are features already.
        max_frames: Maximum number of frames in a clip; None for any number.

    Call arguments:
        inputs: (B, T, H, W, C), uint8 images in RGB or, without an encoder, features; or a dict
            of such `frames` and their `frame_mask`, bool (B, T), which is False for the padding
            after a clip that is shorter than others in its batch.

    Returns:
        Probabilities of the labels, float32 (B, K): the softmax at each step, averaged over time.

    Raises:
        CaptionerError: If the input's rank, its number of frames or its mask is wrong.

    Source: Donahue et al. 2015, https://arxiv.org/abs/1411.4389, section 4.1.

    Example:
        >>> import numpy as np
        >>> from captioner.models.vgg16 import VGG16Encoder
        >>> from captioner.models.heads import LSTMHead
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
        """Check and call; see the class. Keras does not wrap errors raised here."""
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
                f"{least} to {most} are expected: sample that many from the clip"
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
    """Return the frames and their mask."""
    if isinstance(inputs, dict):
        return inputs["frames"], inputs.get("frame_mask")
    return inputs, None


def _as_grid(features: Any) -> Any:
    """Reshape the features of any encoder to (B, T, H, W, C)."""
    *_, places, channels = features.shape
    if len(features.shape) == 5:
        return features
    side = round(places**0.5) if len(features.shape) == 4 else 1
    return ops.reshape(features, (*ops.shape(features)[:2], side, side, channels))
