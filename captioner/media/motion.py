"""Where and when something moves in a clip of a camera at rest."""

import numpy as np
from PIL import Image

# Cameras' noise and compression move every pixel a little; movement is what stands out of it.
_NOISE = 3.0
_STRIDE = 4  # pixels: movement is seen at a quarter of the size as well
_REST = 0.05  # share of all movement that may be left out at either end


def crop_to_motion(frames: np.ndarray, size: tuple[int, int], share: float = 1.0) -> np.ndarray:
    """Cuts the same square out of every frame, around the centre of all movement.

    Whoever acts fills more of the network's small input so, and stands in its middle wherever the
    camera was; a wide frame is not squeezed either.

    Args:
        frames: uint8 (T, H, W, 3), frames of one shot by a camera at rest.
        size: Height and width to which the square is stretched, in pixels.
        share: Side of the square, in (0, 1] of the frame's shorter side.

    Returns:
        uint8 (T, *size, 3); of a clip where nothing moves, its middle.

    Example:
        >>> frames = np.zeros((3, 20, 60, 3), np.uint8)
        >>> frames[1, 8:12, 44:48] = 255
        >>> cropped = crop_to_motion(frames, (20, 20))
        >>> np.argwhere(cropped[1, :, :, 0] > 128).mean(0).round(1).tolist()
        [9.5, 9.5]
    """
    height, width = frames.shape[1:3]
    side = share * min(height, width)
    x, y = _centre_of_motion(frames)
    left = min(max(x - side / 2, 0.0), width - side)
    top = min(max(y - side / 2, 0.0), height - side)
    box = (left, top, left + side, top + side)
    return np.stack(
        [
            np.asarray(Image.fromarray(f).resize(size[::-1], Image.Resampling.BICUBIC, box))
            for f in frames
        ]
    )


def _centre_of_motion(frames: np.ndarray) -> tuple[float, float]:
    grey = frames.mean(-1, dtype=np.float32)  # (T, H, W)
    moved = np.abs(grey - np.median(grey, axis=0)).mean(0)  # (H, W)
    weight = np.maximum(moved - _NOISE * np.median(moved), 0)
    height, width = weight.shape
    total = weight.sum()
    if total == 0:
        return width / 2, height / 2
    x = float(weight.sum(0) @ (np.arange(width) + 0.5) / total)
    y = float(weight.sum(1) @ (np.arange(height) + 0.5) / total)
    return x, y


def motion_span(frames: np.ndarray) -> tuple[int, int]:
    """Find where the action begins and ends: clips often have rest before and after it.

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
