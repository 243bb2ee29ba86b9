"""A coarser grid of the same features."""

from typing import Any

import numpy as np
from keras import ops


def pool_grid(features: Any, places: int) -> Any:
    """Averages the features of a grid over parts of equal size, and lays them in a row.

    Parts whose edges fall between two places share these by their overlap.

    Args:
        features: float (B, T, H, W, C).
        places: Parts a side, G; 1 is the mean over the whole frame.

    Returns:
        float (B, T, G * G * C).

    Example:
        >>> import numpy as np
        >>> pool_grid(np.arange(9.0).reshape(1, 1, 3, 3, 1), 1).shape
        TensorShape([1, 1, 1])
    """
    _, _, height, width, channels = features.shape
    rows, columns = (
        ops.convert_to_tensor(_overlaps(side, places), features.dtype) for side in (height, width)
    )
    x = ops.einsum("gh,bthwc->btgwc", rows, features)
    x = ops.einsum("gw,bthwc->bthgc", columns, x)  # (B, T, G, G, C)
    return ops.reshape(x, (*ops.shape(x)[:2], places * places * channels))


def _overlaps(side: int, places: int) -> np.ndarray:
    """float32 (places, side): the share of each place in each part, adding up to 1."""
    edges = np.linspace(0, side, places + 1)
    starts, ends = edges[:-1, None], edges[1:, None]
    cells = np.arange(side)
    overlap = np.minimum(ends, cells + 1) - np.maximum(starts, cells)
    return (np.maximum(overlap, 0) * places / side).astype(np.float32)
