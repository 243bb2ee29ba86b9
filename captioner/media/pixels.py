"""Conversion of pixels of any mode to RGB, with colour profiles and tiles for large images."""

import ctypes
import logging
import math
import warnings
from contextlib import suppress
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image, ImageCms
from PIL import _imaging as core  # what PIL.Image calls `core`

from captioner.errors import unreadable

_BLOCK = 64 * 2**20


def configure_pillow() -> None:
    """Make Pillow read HEIC, print nothing, and return the memory of large images.

    These settings apply to the whole process. A problem that the libraries find in a file is either
    an error, which `load_image` raises with the name of the file, or does not affect its pixels.
    """
    pillow_heif.register_heif_opener()
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    # Pillow keeps libtiff's own handlers, which print. Symbols are also looked up in the libraries
    # that Pillow's extension is linked to, except on Windows.
    with suppress(AttributeError, OSError):
        libtiff = ctypes.CDLL(core.__file__)
        libtiff.TIFFSetErrorHandler(None)
        libtiff.TIFFSetWarningHandler(None)
    # The C library on Linux keeps freed blocks of up to 32 MiB, such as Pillow's of 16 MiB, for
    # the thread that freed them: each thread would hold the memory of its largest image.
    core.set_block_size(_BLOCK)


def register_jpeg_xl() -> None:
    """Make Pillow read JPEG XL if its plug-in is installed; other formats do not need it."""
    with suppress(ImportError):
        import pillow_jxl  # noqa: F401


_MOST = 2**22  # maximum bytes of a profile


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert the colours of an image to sRGB.

    Args:
        image: RGB image, preferably already resized.
        profile: ICC profile of its colours; the colours stay unchanged if it is None, damaged, or
            not an RGB profile.

    Returns:
        An RGB image of the same size, or the image itself.

    Example:
        >>> image = Image.new("RGB", (2, 2))
        >>> to_srgb(image, b"damaged") is image
        True
    """
    if not profile or len(profile) > _MOST:
        return image
    transform = _make_transform(bytes(profile))
    return image if transform is None else ImageCms.applyTransform(image, transform) or image


@lru_cache(maxsize=16)
def _make_transform(profile: bytes) -> Any:
    try:
        opened = ImageCms.ImageCmsProfile(BytesIO(profile))
        if opened.profile.xcolor_space.strip() != "RGB":
            return None
        if "srgb" in ImageCms.getProfileDescription(opened).lower():
            return None
        target = ImageCms.createProfile("sRGB")
        return ImageCms.buildTransform(
            opened, target, "RGB", "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC
        )
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None


_WHOLE = 2**24  # maximum pixels that are converted and resized without tiles
_TILE = 2048  # pixels per side of a tile
_GAP = 4  # tiles are averaged to this multiple of the target size before the better filter

Size = tuple[int, int] | int | None


def target_size(size: Size, height: int, width: int) -> tuple[int, int] | None:
    """Return the target height and width of an image or a frame.

    Args:
        size: Height and width to which it is stretched; or the maximum number of pixels of its
            shorter side, which keeps its aspect ratio; or None.
        height: Height of the image.
        width: Width of the image.

    Returns:
        Height and width, or None if it is not resized.

    Example:
        >>> target_size(448, 2160, 3840), target_size(448, 240, 320), target_size((9, 9), 240, 320)
        ((448, 796), None, (9, 9))
    """
    if not isinstance(size, int):
        return size
    share = size / min(height, width)
    return (round(height * share), round(width * share)) if share < 1 else None


def resize_rgb(image: Image.Image, size: tuple[int, int], name: str) -> Image.Image:
    """Stretch an image with an antialiasing bicubic filter.

    A large image is first averaged tile by tile to about four times the target size, which differs
    from the filter alone by less than one level on average, and needs little additional memory.

    Args:
        image: Decoded image of any mode that `to_rgb` accepts.
        size: Height and width, in pixels.
        name: Name of the image for error messages.

    Returns:
        An RGB image, which may be the given one.

    Raises:
        CaptionerError: The same as `to_rgb`.

    Example:
        >>> resize_rgb(Image.new("L", (30_000, 600)), (2, 3), "an image").size
        (3, 2)
    """
    height, width = size
    box = (0.0, 0.0, float(image.width), float(image.height))
    # The filter first creates an image of the new width and the old height.
    if max(image.width, width) * image.height > _WHOLE:
        across = max(image.width // (_GAP * width), 1)
        down = max(image.height // (_GAP * height), 1)
        box = (0.0, 0.0, image.width / across, image.height / down)
        rgb = _reduce(image, across, down, name)
    else:
        rgb = to_rgb(image, name)
    return rgb.resize((width, height), Image.Resampling.BICUBIC, box)


def _reduce(image: Image.Image, across: int, down: int, name: str) -> Image.Image:
    """Average blocks of `across` x `down` pixels; blocks at the edges may be smaller."""
    size = (math.ceil(image.width / across), math.ceil(image.height / down))
    reduced = Image.new("RGB", size)
    columns = across * max(_TILE // across, 1)
    rows = down * max(_TILE // down, 1)
    for top in range(0, image.height, rows):
        for left in range(0, image.width, columns):
            right, bottom = min(left + columns, image.width), min(top + rows, image.height)
            tile = image.crop((left, top, right, bottom))
            tile = to_rgb(tile, name, image.format).reduce((across, down))
            reduced.paste(tile, (left // across, top // down))
    return reduced


def to_rgb(image: Image.Image, name: str, file_format: str | None = None) -> Image.Image:
    """Convert an image of any mode to RGB, over white, with 16 bits scaled to 8.

    Args:
        image: Decoded image, whose transparency is composited over white.
        name: Name of the image for error messages.
        file_format: Format of the file that it is part of, as Pillow names it.

    Raises:
        CaptionerError: If the value for white is unknown.
    """
    file_format = file_format or image.format
    # Pillow reads 16-bit grey as "I;16", or as "I" in some formats and versions.
    if image.mode.startswith("I;16") or (image.mode == "I" and file_format in ("PNG", "PPM")):
        values = np.asarray(image).astype(np.uint16)  # (H, W)
        grey = to_uint8(values, name)
        if "transparency" in image.info:
            grey[values == image.info["transparency"]] = 255
        return Image.fromarray(grey).convert("RGB")
    if image.mode == "I":
        reason = "32-bit integers, whose value for white is unknown"
        raise unreadable(name, reason, "save it with 8 or 16 bits per channel")
    if image.mode == "F":
        return Image.fromarray(to_uint8(np.asarray(image), name)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def to_uint8(array: np.ndarray, name: str) -> np.ndarray:
    """Scale an array of uint16 or of floats in [0, 1] to uint8.

    Raises:
        CaptionerError: If it has another type, or values outside [0, 1].
    """
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.uint16:
        return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)  # 65535 = 257 * 255
    if not np.issubdtype(array.dtype, np.floating):
        fix = "give uint8, uint16 or floats in [0, 1]"
        raise unreadable(name, f"type {array.dtype}", fix)
    if not np.all((array >= 0) & (array <= 1)):  # NaN fails too.
        raise unreadable(name, "floats outside [0, 1]", "scale them to [0, 1]")
    return np.rint(array.astype(np.float32) * 255).astype(np.uint8)
