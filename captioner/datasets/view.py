"""Another look at the pictures of the train split, for the features of a frozen encoder."""

import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np

from captioner.datasets.augmentation import augment, can_flip
from captioner.datasets.caption_dataset import CaptionExample
from captioner.media.clip import Clip
from captioner.media.image import load_image


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
        >>> example = CaptionExample("1", path, ("A man.",), (("a", "man"),), "train")
        >>> [clip.frames.shape for clip in View(seed=1).read(example, size=(224, 224))]
        [(1, 224, 224, 3)]
    """

    seed: int
    crop: float = 0.6

    def read(self, example: CaptionExample, size: tuple[int, int]) -> Iterator[Clip]:
        """Yields the view of one picture, as `read_clips` yields the picture itself."""
        rng = np.random.default_rng((self.seed, zlib.crc32(example.image_id.encode())))
        image = load_image(example.path, size=size)
        seen = augment(image, rng, crop=self.crop, flip=can_flip(example.tokens))
        yield Clip(seen[np.newaxis], np.zeros(1))

    def as_dict(self) -> dict[str, float]:
        """For the index of a store."""
        return asdict(self)
