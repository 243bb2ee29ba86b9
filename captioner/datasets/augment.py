"""Random crops and mirror images that keep a caption true, and views of a data set."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image

from captioner.arrays import Pixels
from captioner.datasets.dataset import Example
from captioner.media.clip import Clip
from captioner.media.image import load_image

_SIDES = {"left", "right"}


def can_flip(captions: Sequence[Sequence[str]]) -> bool:
    """Return True if all these captions, given as words, still describe a mirror image.

    Example:
        >>> can_flip([["a", "man", "on", "the", "left"]])
        False
    """
    return not any(_SIDES.intersection(words) for words in captions)


def augment(
    image: Pixels, rng: np.random.Generator, crop: float = 1.0, flip: bool = False
) -> Pixels:
    """Crop a random part of an image, resize it back, and mirror it half of the time.

    Args:
        image: Image, uint8 (H, W, 3).
        rng: Random generator.
        crop: Smallest share of the area that is kept, in (0, 1]; sides are drawn independently,
            so the aspect ratio changes a little, as when images are stretched to a square.
        flip: If False, never mirror.

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
    """A random crop of each image, mirrored half of the time.

    Features of a frozen encoder are computed only once, so a decoder that learns from them has no
    augmentation; a few views besides the whole image replace some of it.

    Args:
        seed: Seed of the view. The crop of an image depends only on the seed and the image id.
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
        """Yield the view of one image, as `read_clips` yields the image itself."""
        rng = np.random.default_rng((self.seed, zlib.crc32(example.id.encode())))
        image = load_image(example.path, size=size)
        seen = augment(image, rng, crop=self.crop, flip=can_flip(example.tokens))
        yield Clip(seen[np.newaxis], np.zeros(1))

    def as_dict(self) -> dict[str, int | float]:
        """Return the options as a dictionary, for the index of a store."""
        return asdict(self)
