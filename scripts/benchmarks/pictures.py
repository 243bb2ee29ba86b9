"""Pictures to measure with."""

from pathlib import Path

import numpy as np
from PIL import Image

from captioner.errors import CaptionerError
from captioner.media.files import find_images
from captioner.media.image import load_image

SAMPLES = Path(__file__).parents[2] / "data" / "samples"


def choose_pictures(images: Path | None, count: int, folder: Path) -> list[str]:
    """Take pictures from a folder, or make them.

    Args:
        images: The folder to take the first `count` from; None makes them.
        count: How many.
        folder: An empty one, for pictures that are made.

    Returns:
        Paths.

    Raises:
        CaptionerError: If the folder holds fewer.
    """
    if images is None:
        return make_pictures(count, folder)
    found = list(find_images([images], recursive=True))
    if len(found) < count:
        raise CaptionerError(f"{images} holds {len(found)} pictures: give a smaller --count")
    return found[:count]


def make_pictures(count: int, folder: Path, seed: int = 0) -> list[str]:
    """Write JPEG files cut at random from the sample photos, a little smaller than they are.

    Args:
        count: How many.
        folder: Where to.
        seed: Of the random numbers; the same seed gives the same pictures.

    Returns:
        Their paths.
    """
    samples = [load_image(path) for path in sorted(SAMPLES.glob("*.jpg"))]
    random = np.random.default_rng(seed)
    paths = []
    for number in range(count):
        picture = samples[number % len(samples)]
        height, width, _ = picture.shape
        top, left = random.integers(0, (height // 10, width // 10))
        cut = picture[top : top + height * 9 // 10, left : left + width * 9 // 10]
        path = folder / f"{number:06}.jpg"
        Image.fromarray(cut).save(path, quality=90)
        paths.append(str(path))
    return paths
