"""What the heads have in common that read a row of numbers for each frame."""

from typing import Any

import keras
from keras import ops

from captioner.vision.heads.head import ActivityHead
from captioner.vision.heads.pooling import pool_grid


class PooledHead(ActivityHead):
    """Averages the grid over a few large parts, and brings the clip to unit size.

    A subclass writes `read_row`, and creates what it needs in `build_row_reader`.

    Args:
        places: Parts a side in which the grid is averaged; see `pool_grid`.
        hidden: Units of a layer that reads the parts of each frame, in place of the parts
            themselves; None for no such layer.
        kwargs: Those of `ActivityHead`.
    """

    def __init__(
        self, classes: int, places: int = 1, hidden: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(classes, **kwargs)
        self.places = places
        self.hidden = hidden
        policy = self.dtype_policy
        self.row_dropout = keras.layers.Dropout(self.dropout, dtype=policy, name="row_dropout")
        self.hidden_layer = (
            keras.layers.Dense(hidden, "relu", dtype=policy, name="hidden") if hidden else None
        )

    def build_row_reader(self, length: int) -> int:
        """Creates the weights of `read_row` for rows of this length; returns that of its own."""
        raise NotImplementedError

    def read_row(self, rows: Any, frame_mask: Any, training: bool) -> Any:
        """Rows (B, T, D) to (B, T, E), from which each step's label is told."""
        raise NotImplementedError

    def build_reader(self, height: int, width: int, channels: int) -> int:
        """See `ActivityHead`."""
        length = self.places**2 * channels
        if self.hidden_layer is not None:
            self.hidden_layer.build((None, None, length))
            length = self.hidden_layer.units
        return self.build_row_reader(length)

    def read(self, features: Any, frame_mask: Any, training: bool) -> Any:
        """See `ActivityHead`."""
        x = pool_grid(features, self.places)  # (B, T, G*G*C)
        weight = ops.expand_dims(ops.cast(frame_mask, x.dtype), -1)
        # Of the clip, not of each frame: a frame where little moves shall say so.
        power = ops.sum(ops.square(x) * weight, axis=(1, 2), keepdims=True)
        size = x.shape[-1] * ops.sum(weight, axis=(1, 2), keepdims=True)
        x = self.row_dropout(x / ops.sqrt(power / size + 1e-6), training=training)
        if self.hidden_layer is not None:
            x = self.hidden_layer(x)
        return self.read_row(x, frame_mask, training)

    def get_config(self) -> dict[str, Any]:
        """What builds the same head, without its weights."""
        return {**super().get_config(), "places": self.places, "hidden": self.hidden}
