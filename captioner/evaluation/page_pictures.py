"""The pictures of an evaluation's page: which may be shown, and how small."""

import base64
import io
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from captioner.errors import CaptionerError
from captioner.media.image import load_image

_WIDTH, _HEIGHT = 320, 240  # pixels, at most


def pictures_inside(
    pictures: Mapping[str, Path], folder: Path
) -> tuple[dict[str, Path], dict[str, Path]]:
    """Part pictures inside a folder from those elsewhere, which a page must not publish.

    The names come from a file of references, which may be a stranger's: absolute names, `..` and
    links lead out of the folder.

    Args:
        pictures: path by image id.
        folder: that of the images.

    Returns:
        Those inside and those elsewhere.

    Example:
        >>> pictures = {"1": Path("a/1.jpg"), "2": Path("a/../2.jpg")}
        >>> inside, elsewhere = pictures_inside(pictures, Path("a"))
        >>> list(inside), list(elsewhere)
        (['1'], ['2'])
    """
    inside: dict[str, Path] = {}
    elsewhere: dict[str, Path] = {}
    top = folder.resolve()
    for image, path in pictures.items():
        try:
            own = path.resolve().is_relative_to(top)
        except (OSError, RuntimeError, ValueError):  # loops of links, names that are none
            own = False
        (inside if own else elsewhere)[image] = path
    return inside, elsewhere


def thumbnail(path: Path | None) -> str:
    """Make a small JPEG of a picture as a data URI; empty where there is none that can be read.

    Args:
        path: any file; it is read as `caption` reads it, within the same limits.
    """
    if path is None or not path.is_file():
        return ""
    try:
        # The shorter side; what is very wide or high is shrunk once more.
        small = Image.fromarray(load_image(path, size=_HEIGHT))
    except CaptionerError:
        return ""
    small.thumbnail((_WIDTH, _HEIGHT))
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=72, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()
