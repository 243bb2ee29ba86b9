"""Decoding of images from files, bytes, PIL images and arrays to RGB pixels."""

import os
from io import BytesIO
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from captioner.errors import CaptionerError, unreadable
from captioner.media.budget import DECODING
from captioner.media.image_files import HEAD, is_jpeg_xl, open_image_file, recognize
from captioner.media.pixels import (
    Size,
    configure_pillow,
    register_jpeg_xl,
    resize_rgb,
    target_size,
    to_rgb,
    to_srgb,
    to_uint8,
)
from captioner.media.raw import is_raw, is_thumbnail, open_raw

ImageSource = str | os.PathLike[str] | bytes | Image.Image | np.ndarray

MAX_PIXELS = 178_956_970  # Pillow's own limit for decoding: 512 MiB of RGB

_CONVERT = "convert it to JPEG or PNG"
_SHRINK = "make it smaller in an image editor"
_SAVE_ANEW = "fetch it again, or save it again from an image editor"

# Measured bytes per pixel that decoders hold in addition to Pillow's own image; 8 for others.
_DECODER_BYTES = {
    **dict.fromkeys(("JPEG", "MPO", "PNG", "BMP", "GIF", "PPM", "TGA", "PCX"), 0),
    "TIFF": 3,  # a strip, which may be the whole image
    "HEIF": 4,
    "JXL": 4,
    "AVIF": 8,
    "WEBP": 13,
    "JPEG2000": 16,
}

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_TURNED = {_UPRIGHT[orientation] for orientation in (5, 6, 7, 8)}

configure_pillow()


def load_image(
    source: ImageSource,
    *,
    size: Size = None,
    max_pixels: int = MAX_PIXELS,
) -> np.ndarray:
    """Read one image as upright RGB.

    The EXIF orientation is applied, transparency is composited over white, 16 bits are scaled to
    8, and only the first frame of an animation is read. Colours are converted to sRGB with the
    profile of the file.

    Args:
        source: A path; the bytes of an image file; a `PIL.Image.Image`, which is not modified; or
            an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8, of uint16 (white is 65535)
            or of floats in [0, 1], or anything that NumPy converts to one, such as a tensor.
        size: Height and width in pixels to which the image is stretched, with an antialiasing
            bicubic filter; Lanczos is slower and has more ringing at edges. A much larger JPEG is
            decoded at a fraction of its size, which is several times faster. An integer is the
            maximum number of pixels of the shorter side and keeps the aspect ratio; None keeps the
            size of the image.
        max_pixels: Maximum width times height to decode, as stated in the header; arrays are
            already decoded. Pillow's own limit, `2 * PIL.Image.MAX_IMAGE_PIXELS`, also applies.

    Returns:
        A new uint8 array (H, W, 3).

    Raises:
        CaptionerError: If the image cannot be read; the message has its name, the reason and a fix.

    Example:
        >>> load_image(np.array([[0.0, 0.2, 1.0]])).tolist()
        [[[0, 0, 0], [51, 51, 51], [255, 255, 255]]]
    """
    if isinstance(source, str | os.PathLike):
        name = os.fsdecode(source)
        with open_image_file(name) as file:
            rgb = _read_stream(file, name, size, max_pixels)
    elif isinstance(source, bytes):
        rgb = _read_stream(BytesIO(source), "the image bytes", size, max_pixels)
    elif isinstance(source, Image.Image):
        name = getattr(source, "filename", "") or "the image"
        rgb = _decode(source, name, size, max_pixels, own=False)
    elif hasattr(source, "__array__"):
        rgb = _read_array(np.asarray(source), size)
    else:
        fix = "give a path, bytes, a PIL image or an array"
        raise unreadable("the image", f"of type {type(source).__name__}", fix)
    return np.array(rgb)  # (H, W, 3)


def is_image(head: bytes) -> bool:
    """Return True if bytes are the beginning of a file that Pillow can open.

    Example:
        >>> is_image(b"P6 1 1 255 123"), is_image(b"photos/dog.jpg")
        (True, False)
    """
    try:
        with Image.open(BytesIO(head)):
            return True
    except Exception:  # Pillow's parsers raise nearly anything.
        return False


def _read_stream(stream: BinaryIO, name: str, size: Size, max_pixels: int) -> Image.Image:
    try:
        with _open_stream(stream, name) as image:
            if image.format == "EPS":  # Pillow would run Ghostscript on it.
                raise unreadable(name, "an EPS drawing", _CONVERT)
            return _decode(image, name, size, max_pixels)
    except UnidentifiedImageError as error:
        stream.seek(0)
        kind = recognize(stream.read(HEAD))
        raise unreadable(name, kind.name, kind.fix) from error
    except CaptionerError:
        raise
    except Exception as error:  # Pillow's parsers raise nearly anything on damaged files.
        raise _failed(name, error) from error


def _open_stream(stream: BinaryIO, name: str) -> Image.Image:
    head = stream.read(HEAD)
    stream.seek(0)
    if is_raw(name, head):
        return open_raw(stream, name)
    if is_jpeg_xl(head):
        return _open_jpeg_xl(stream)
    image = Image.open(stream)
    if image.format == "TIFF" and is_thumbnail(image):  # a RAW file with another suffix
        return open_raw(stream, name)
    return image


def _open_jpeg_xl(stream: BinaryIO) -> Image.Image:
    register_jpeg_xl()
    try:
        return Image.open(stream)
    except Exception as error:  # its message says nothing about the file
        raise UnidentifiedImageError from error


def _decode(
    image: Image.Image, name: str, size: Size, max_pixels: int, own: bool = True
) -> Image.Image:
    width, height = image.size
    if width * height > max_pixels:
        reason = f"{width} x {height} pixels, over the limit of {max_pixels}"
        raise unreadable(name, reason, _SHRINK)
    try:
        wanted = target_size(size, height, width)
        if wanted is not None and own:
            # Twice the size leaves the last reduction to the better filter. A square works for
            # both orientations.
            image.draft(None, (2 * max(wanted), 2 * max(wanted)))
        with DECODING.reserve(_memory_needed(image, width * height, wanted is None, name)):
            image.load()
            upright = _UPRIGHT.get(_orientation(image))
            if wanted is None:
                rgb = to_rgb(image, name)
            else:
                turned = upright in _TURNED and not isinstance(size, int)
                rgb = resize_rgb(image, wanted[::-1] if turned else wanted, name)
            if upright is not None:
                rgb = rgb.transpose(upright)
            rgb = to_srgb(rgb, image.info.get("icc_profile"))
            if own and rgb is not image:
                image.close()  # frees its pixels while their memory is still reserved
            return rgb
    except CaptionerError:
        raise
    except Exception as error:
        raise _failed(name, error) from error


def _memory_needed(image: Image.Image, pixels: int, whole: bool, name: str) -> int:
    """Return the bytes needed to decode an image with `pixels` pixels in its file."""
    # libjpeg holds all coefficients of a progressive image, even in draft mode.
    decoder = 6 if image.info.get("progressive") else _DECODER_BYTES.get(image.format or "", 8)
    needed = pixels * decoder + image.width * image.height * 4
    if needed > DECODING.total:
        reason = f"decoding needs {needed >> 20} MiB, over the limit of {DECODING.total >> 20}"
        raise unreadable(name, reason, f"{_SHRINK}, or {_CONVERT}")
    return needed + image.width * image.height * 12 if whole else needed


def _orientation(image: Image.Image) -> int:
    # ImageOps.exif_transpose also rewrites the EXIF block, and fails if it is damaged.
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # A damaged EXIF block does not affect the pixels.
        return 1


def _read_array(array: np.ndarray, size: Size) -> Image.Image:
    name = "the array"
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        fix = "give one image as (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)"
        raise unreadable(name, f"shape {array.shape}", fix)
    image = Image.fromarray(to_uint8(array, name))
    wanted = target_size(size, *array.shape[:2])
    return to_rgb(image, name) if wanted is None else resize_rgb(image, wanted, name)


def _failed(name: str, error: Exception) -> CaptionerError:
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return unreadable(name, "more pixels than PIL.Image.MAX_IMAGE_PIXELS allows", _SHRINK)
    if isinstance(error, MemoryError):
        return unreadable(name, "not enough memory", _SHRINK)
    reason = " ".join(str(error).split()) or type(error).__name__
    return unreadable(name, f"damaged: {reason}", _SAVE_ANEW)
