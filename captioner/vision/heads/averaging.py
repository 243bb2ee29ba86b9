"""The baseline: each frame is looked at alone."""

from typing import Any

import keras

from captioner.vision.heads.pooled_head import PooledHead


@keras.saving.register_keras_serializable("captioner")
class AveragingHead(PooledHead):
    """Tells the label from each single frame; the order of the frames does not matter.

    Source: the single-frame baseline of Donahue et al. 2015, section 4.1.

    Example:
        >>> import numpy as np
        >>> AveragingHead(classes=10)(np.zeros((2, 16, 7, 7, 512))).shape
        TensorShape([2, 10])
    """

    def build_row_reader(self, length: int) -> int:
        """See `PooledHead`."""
        return length

    def read_row(self, rows: Any, frame_mask: Any, training: bool) -> Any:
        """See `PooledHead`."""
        return rows
