"""The part of a clip where something moves, cut out as a square."""

import numpy as np
from PIL import Image

# Cameras' noise and compression move every pixel a little; movement is what stands out of it.
_NOISE = 3.0


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
