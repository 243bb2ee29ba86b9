"""Pixels of any kind made RGB: wide-gamut colours converted, large images tile by tile."""

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
    """Have Pillow read HEIC, print nothing, and return the memory of large images.

    All of it holds for the whole process. What the libraries find wrong with a file is either an
    error, which `load_image` raises with the name of the file, or of no account for its pixels.
    """
    pillow_heif.register_heif_opener()
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    # Pillow leaves libtiff's own handlers in place, which print. A symbol is looked for in the
    # libraries that Pillow's extension is linked to, too, though not on Windows.
    with suppress(AttributeError, OSError):
        libtiff = ctypes.CDLL(core.__file__)
        libtiff.TIFFSetErrorHandler(None)
        libtiff.TIFFSetWarningHandler(None)
    # Blocks of up to 32 MiB, such as Pillow's of 16, the C library of Linux keeps for the thread
    # that freed them: each thread then holds the largest image that it has ever decoded.
    core.set_block_size(_BLOCK)


def register_jpeg_xl() -> None:
    """Have Pillow read JPEG XL, where the plug-in for it is installed; nothing else needs it."""
    with suppress(ImportError):
        import pillow_jxl  # noqa: F401


_MOST = 2**22  # bytes of a profile


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Bring the colours of a picture to sRGB.

    Args:
        image: RGB, best when it is small already.
        profile: ICC profile of its colours; None, another kind than RGB, or a damaged one leaves
            them as they are.

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


_WHOLE = 2**24  # pixels that are converted and resized at once
_TILE = 2048  # pixels, the side of a tile
_GAP = 4  # times the size that is asked for, to which tiles are averaged before the better filter

Size = tuple[int, int] | int | None


def target_size(size: Size, height: int, width: int) -> tuple[int, int] | None:
    """Return the height and width that an image or a frame is to get.

    Args:
        size: Height and width to which it is stretched, or the most pixels of its shorter side,
            where its proportions are kept, or None.
        height: Of the image.
        width: Of the image.

    Returns:
        None if it stays as it is.

    Example:
        >>> target_size(448, 2160, 3840), target_size(448, 240, 320), target_size((9, 9), 240, 320)
        ((448, 796), None, (9, 9))
    """
    if not isinstance(size, int):
        return size
    share = size / min(height, width)
    return (round(height * share), round(width * share)) if share < 1 else None


def resize_rgb(image: Image.Image, size: tuple[int, int], name: str) -> Image.Image:
    """Stretch an image by a bicubic filter that widens as it shrinks.

    A large one is first averaged tile by tile to some four times the size, which differs from the
    filter alone by less than a level on average, and needs little memory beside the image's own.

    Args:
        image: Decoded, of any mode that `to_rgb` takes.
        size: Height and width, in pixels.
        name: For error messages.

    Returns:
        An RGB image, which may be the one that was given.

    Raises:
        CaptionerError: As `to_rgb`.

    Example:
        >>> resize_rgb(Image.new("L", (30_000, 600)), (2, 3), "an image").size
        (3, 2)
    """
    height, width = size
    box = (0.0, 0.0, float(image.width), float(image.height))
    # The filter first makes an image of the new width and the old height.
    if max(image.width, width) * image.height > _WHOLE:
        across = max(image.width // (_GAP * width), 1)
        down = max(image.height // (_GAP * height), 1)
        box = (0.0, 0.0, image.width / across, image.height / down)
        rgb = _reduce(image, across, down, name)
    else:
        rgb = to_rgb(image, name)
    return rgb.resize((width, height), Image.Resampling.BICUBIC, box)


def _reduce(image: Image.Image, across: int, down: int, name: str) -> Image.Image:
    """Average blocks of `across` x `down` pixels, those at the edges of what there is."""
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
    """Convert an image of any mode: transparency is laid over white, 16 bits are scaled to 8.

    Args:
        image: Decoded.
        name: For error messages.
        file_format: That of the file which it is part of, as Pillow names it.

    Raises:
        CaptionerError: If its values have no known white.
    """
    file_format = file_format or image.format
    # Pillow reads 16-bit grey as "I;16", in some formats and versions as "I".
    if image.mode.startswith("I;16") or (image.mode == "I" and file_format in ("PNG", "PPM")):
        values = np.asarray(image).astype(np.uint16)  # (H, W)
        grey = to_uint8(values, name)
        if "transparency" in image.info:
            grey[values == image.info["transparency"]] = 255
        return Image.fromarray(grey).convert("RGB")
    if image.mode == "I":
        reason = "32-bit integers, of which none is known to be white"
        raise unreadable(name, reason, "save it with 8 or 16 bits a channel")
    if image.mode == "F":
        return Image.fromarray(to_uint8(np.asarray(image), name)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def to_uint8(array: np.ndarray, name: str) -> np.ndarray:
    """Scale an array of uint16 or of floats in [0, 1] to uint8.

    Raises:
        CaptionerError: If it is of another type, or has values outside.
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
