"""What every head has in common: it tells from the features of all frames what is done."""

from typing import Any

import keras
from keras import ops

from captioner.errors import CaptionerError
from captioner.vision.motion import MOTIONS, motion_features


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
        """Creates the weights of `read` for features (B, T, height, width, channels).

        Returns:
            Length of what `read` gives for each frame, D.
        """
        raise NotImplementedError

    def read(self, features: Any, frame_mask: Any, training: bool) -> Any:
        """Features (B, T, H, W, C) to (B, T, D), from which each step's label is told."""
        raise NotImplementedError

    def build(self, features_shape: tuple[Any, ...], *_: Any) -> None:
        """Creates the weights for features of this shape."""
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
        """The shape that `call` gives."""
        return (features_shape[0], self.classes)

    def get_config(self) -> dict[str, Any]:
        """What builds the same head, without its weights."""
        return {
            **super().get_config(),
            "classes": self.classes,
            "motion": self.motion,
            "dropout": self.dropout,
        }
