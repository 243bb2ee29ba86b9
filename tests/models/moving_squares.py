"""Clips that only the order of their frames tells apart: a square goes left or right."""

import numpy as np

SIDE, FRAMES = 16, 6
_SQUARE, _STEP = 4, 2


def moving_squares(clips: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws clips, half of them to the right.

    Every set of frames occurs in both classes alike.

    Returns:
        float32 (clips, FRAMES, SIDE, SIDE, 1) in 0..1, and labels int (clips,): 0 left, 1 right.
    """
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(clips) % 2)
    frames = np.zeros((clips, FRAMES, SIDE, SIDE, 1), np.float32)
    free = SIDE - _SQUARE - _STEP * (FRAMES - 1)
    for clip, label in zip(frames, labels, strict=True):
        left, top = rng.integers(0, free + 1), rng.integers(0, SIDE - _SQUARE + 1)
        for number, frame in enumerate(clip if label else clip[::-1]):
            x = left + _STEP * number
            frame[top : top + _SQUARE, x : x + _SQUARE] = 1
    return frames, labels
