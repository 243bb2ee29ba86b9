"""Frames of a film for a decoder that has learnt from pictures."""

import numpy as np

_MEAN = 0.25  # share of the mean; docs/video.md has what other shares give


def smooth_frames(features: np.ndarray) -> np.ndarray:
    """Blends each frame with the mean of all frames.

    What is in one frame alone is often noise to a model of pictures: blur, blocks of compression,
    a moment's pose. The mean over the frames has less of it, but no moment either; so each frame is
    given some of both. A single frame stays as it is.

    Args:
        features: float (T, P, C), of the frames of one clip.

    Returns:
        The same shape and type.

    Example:
        >>> smooth_frames(np.array([[[0.0]], [[4.0]]]))[:, 0, 0]
        array([0.5, 3.5])
    """
    mean = features.mean(axis=0, keepdims=True)
    return (1 - _MEAN) * features + _MEAN * mean
