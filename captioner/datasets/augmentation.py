"""Random crops and mirror images that leave a caption true."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

_SIDES = {"left", "right"}


def can_flip(captions: Sequence[Sequence[str]]) -> bool:
    """Whether a mirror image is still described by all these captions, given as words.

    Example:
        >>> can_flip([["a", "man", "on", "the", "left"]])
        False
    """
    return not any(_SIDES.intersection(words) for words in captions)


def augment(
    image: np.ndarray, rng: np.random.Generator, crop: float = 1.0, flip: bool = False
) -> np.ndarray:
    """Crops a random part of a picture, resizes it back, and mirrors it half of the time.

    Args:
        image: uint8 (H, W, 3).
        rng: Where chance comes from.
        crop: Smallest share of the area that is kept, in (0, 1]; sides are drawn independently,
            so the aspect ratio changes a little, as when pictures are stretched to a square.
        flip: Whether to mirror at all.

    Returns:
        uint8 (H, W, 3).

    Example:
        >>> augment(np.zeros((4, 4, 3), np.uint8), np.random.default_rng(0), 0.5).shape
        (4, 4, 3)
    """
    height, width = image.shape[:2]
    if crop < 1:
        kept_h, kept_w = rng.uniform(crop**0.5, 1, 2)
        top, left = rng.uniform(0, 1 - kept_h) * height, rng.uniform(0, 1 - kept_w) * width
        box = (left, top, left + kept_w * width, top + kept_h * height)
        resized = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR, box)
        image = np.asarray(resized)
    if flip and rng.random() < 0.5:
        image = image[:, ::-1]
    return image
