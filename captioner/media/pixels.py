"""Pixels of any kind made RGB, whole or, of large images, tile by tile as they are shrunk."""

import math

import numpy as np
from PIL import Image

from captioner.errors import unreadable

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
