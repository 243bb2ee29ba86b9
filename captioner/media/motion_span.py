"""The part of a clip in time in which something moves."""

import numpy as np

_STRIDE = 4  # pixels: movement is seen at a quarter of the size as well
_REST = 0.05  # share of all movement that may be left out at either end


def motion_span(frames: np.ndarray) -> tuple[int, int]:
    """Finds where the action begins and ends: clips often have rest before and after it.

    Args:
        frames: uint8 (T, H, W, 3), at even distances in time, by a camera at rest.

    Returns:
        Number of the first frame, and of the first one behind the action, as for a slice; all of a
        clip in which nothing moves.

    Example:
        >>> frames = np.zeros((9, 4, 4, 3), np.uint8)
        >>> frames[3] = 90
        >>> motion_span(frames)
        (2, 5)
    """
    grey = frames[:, ::_STRIDE, ::_STRIDE].mean(-1, dtype=np.float32)
    change = np.abs(np.diff(grey, axis=0)).mean((1, 2))  # (T - 1,)
    # What the quietest pair of frames differs by is noise.
    moved = np.cumsum(change - change.min(initial=np.inf))
    if not len(moved) or moved[-1] <= 0:
        return 0, len(frames)
    start = int(np.searchsorted(moved, _REST * moved[-1]))
    end = int(np.searchsorted(moved, (1 - _REST) * moved[-1]))
    return start, end + 2  # change k is between frames k and k + 1
