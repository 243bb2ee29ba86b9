"""The head that labels clips: features of all frames in, probabilities of the labels out."""

from typing import Any

import keras
from keras import ops

from captioner.errors import CaptionerError

MOTIONS = ("none", "median", "difference")


class ActivityHead(keras.layers.Layer):
    """Reads the features of a clip frame by frame; the softmax at each step is averaged over time.

    A subclass writes `read`, and creates what it needs in `build_reader`.

    Args:
        classes: Number of labels, K.
        motion: What is read: "none" the features themselves; "median" by how much they exceed
            their median over the clip; "difference" by how much those of the frame before.
        dropout: Share of the features, and of the last layer's inputs, dropped in training.

    Call arguments:
        features: float (B, T, H, W, C), none negative.
        frame_mask: bool (B, T), False for padding frames, which come last; None when there are
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
        """Frames that a clip must have."""
        return 1 if self.motion == "none" else 2

    def build_reader(self, height: int, width: int, channels: int) -> int:
        """Create the weights of `read` for features (B, T, height, width, channels).

        Returns:
            Length of what `read` gives for each frame, D.
        """
        raise NotImplementedError

    def read(self, features: Any, frame_mask: Any, training: bool) -> Any:
        """Features (B, T, H, W, C) to (B, T, D), from which each step's label is told."""
        raise NotImplementedError

    def build(self, features_shape: tuple[Any, ...], *_: Any) -> None:
        """Create the weights for features of this shape."""
        self.logits.build((None, None, self.build_reader(*features_shape[2:])))
        self.built = True

    def call(self, features: Any, frame_mask: Any = None, training: bool = False) -> Any:
        """See the class."""
        if frame_mask is None:
            frame_mask = ops.ones(ops.shape(features)[:2], "bool")
        # VGG16's features are of a long tail.
        x = ops.log(1 + ops.relu(ops.cast(features, "float32")))
        x, frame_mask = motion_features(x, frame_mask, self.motion)
        x = self.read(ops.relu(x), frame_mask, training)
        steps = ops.softmax(self.logits(self.output_dropout(x, training=training)))  # (B, T, K)
        weight = ops.expand_dims(ops.cast(frame_mask, steps.dtype), -1)
        return ops.sum(steps * weight, axis=1) / ops.sum(weight, axis=1)

    def compute_output_shape(self, features_shape: tuple[Any, ...], *_: Any) -> tuple[Any, ...]:
        """Return the shape that `call` gives."""
        return (features_shape[0], self.classes)


def motion_features(features: Any, frame_mask: Any, kind: str) -> tuple[Any, Any]:
    """Take away from features what tells the place and the person, not the action.

    Args:
        features: float (B, T, ...).
        frame_mask: bool (B, T), False for padding frames, which come last.
        kind: "none" leaves them as they are; "median" subtracts the median over the clip;
            "difference" subtracts from each frame the one before.

    Returns:
        Features (B, T, ...) and mask (B, T); of differences there is one less, T - 1.

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
    return features, frame_mask


def _median(features: Any, frame_mask: Any) -> Any:
    """Return the median over the frames that are no padding, (B, 1, ...)."""
    mask = frame_mask
    for _ in features.shape[2:]:
        mask = ops.expand_dims(mask, -1)  # (B, T, 1, ...)
    ordered = ops.sort(ops.where(mask, features, ops.full_like(features, 3e38)), axis=1)
    count = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)  # (B, 1, ...)
    middles = ops.concatenate([(count - 1) // 2, count // 2], axis=1)  # (B, 2, ...)
    middles = ops.broadcast_to(middles, (*ops.shape(middles)[:2], *ops.shape(features)[2:]))
    return ops.mean(ops.take_along_axis(ordered, middles, axis=1), axis=1, keepdims=True)
