"""The baseline: each frame is looked at alone."""

from typing import Any

import keras

from captioner.vision.heads.head import ActivityHead
from captioner.vision.heads.pooling import pool_grid


@keras.saving.register_keras_serializable("captioner")
class AveragingHead(ActivityHead):
    """Tells the label from each single frame; the order of the frames does not matter.

    Args:
        places: Parts a side in which the grid is averaged; see `pool_grid`.
        kwargs: Those of `ActivityHead`.

    Source: the single-frame baseline of Donahue et al. 2015, section 4.1.

    Example:
        >>> import numpy as np
        >>> AveragingHead(classes=10)(np.zeros((2, 16, 7, 7, 512))).shape
        TensorShape([2, 10])
    """

    def __init__(self, classes: int, places: int = 1, **kwargs: Any) -> None:
        super().__init__(classes, **kwargs)
        self.places = places

    def build_reader(self, height: int, width: int, channels: int) -> int:
        """See `ActivityHead`."""
        return self.places**2 * channels

    def read(self, features: Any, frame_mask: Any, training: bool) -> Any:
        """See `ActivityHead`."""
        return pool_grid(features, self.places)

    def get_config(self) -> dict[str, Any]:
        """What builds the same head, without its weights."""
        return {**super().get_config(), "places": self.places}
