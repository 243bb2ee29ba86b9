"""Random crops and mirror images that leave a caption true, and views of a data set by them."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image

from captioner.datasets.dataset import Example
from captioner.media.clip import Clip
from captioner.media.image import load_image

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


@dataclass(frozen=True)
class View:
    """A random part of each picture, every other one mirrored.

    A frozen encoder sees a picture once, so that a decoder which learns from its features has no
    augmentation; some views besides the whole picture are a small one.

    Args:
        seed: Tells one view from another. What is drawn depends on it and the image id alone.
        crop: Smallest share of the area that is kept; see `augment`.

    Example:
        >>> path = "data/samples/shepherd.jpg"
        >>> example = Example("1", path, ("A man.",), (("a", "man"),), "train")
        >>> [clip.frames.shape for clip in View(seed=1).read(example, size=(224, 224))]
        [(1, 224, 224, 3)]
    """

    seed: int
    crop: float = 0.6

    def read(self, example: Example, size: tuple[int, int]) -> Iterator[Clip]:
        """Yield the view of one picture, as `read_clips` yields the picture itself."""
        rng = np.random.default_rng((self.seed, zlib.crc32(example.id.encode())))
        image = load_image(example.path, size=size)
        seen = augment(image, rng, crop=self.crop, flip=can_flip(example.tokens))
        yield Clip(seen[np.newaxis], np.zeros(1))

    def as_dict(self) -> dict[str, float]:
        """For the index of a store."""
        return asdict(self)
