"""Pictures: whatever holds one goes in, RGB pixels come out."""

import os
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from captioner.errors import CaptionerError
from captioner.media.signatures import HEAD, recognize

ImageSource = str | os.PathLike[str] | bytes | Image.Image | np.ndarray

MAX_PIXELS = 178_956_970  # where Pillow, too, refuses to decode: 512 MiB of RGB

_CONVERT = "convert it to JPEG or PNG"
_SHRINK = "make it smaller in an image editor"
_SAVE_ANEW = "fetch it again, or save it anew from an image editor"

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def load_image(
    source: ImageSource,
    *,
    size: tuple[int, int] | None = None,
    max_pixels: int = MAX_PIXELS,
) -> np.ndarray:
    """Read one picture as upright RGB.

    The EXIF orientation is applied, transparency is laid over white, 16 bits are scaled to 8, and
    an animation gives its first frame. Colour profiles are not applied.

    Args:
        source: A path; the bytes of a picture file; a `PIL.Image.Image`, which stays as it is; or
            an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8, of uint16 (white is 65535)
            or of floats in [0, 1], or what NumPy turns into one, such as a tensor.
        size: Height and width in pixels to which the picture is stretched, by a bicubic filter
            that widens as it shrinks and so does not alias; Lanczos takes more time and rings
            more at edges. A much larger JPEG is decoded at a fraction of its size, which is
            several times faster. None keeps the size of the picture.
        max_pixels: The largest width times height that is decoded, as stated in the header; arrays
            are decoded already. Pillow's own limit, `2 * PIL.Image.MAX_IMAGE_PIXELS`, holds too.

    Returns:
        A new uint8 array (H, W, 3).

    Raises:
        CaptionerError: If the picture cannot be read; the message names it, the reason, the mend.

    Example:
        >>> load_image(np.array([[0.0, 0.2, 1.0]])).tolist()
        [[[0, 0, 0], [51, 51, 51], [255, 255, 255]]]
    """
    if isinstance(source, str | os.PathLike):
        name = os.fsdecode(source)
        rgb = _read_file(name, size, max_pixels)
    elif isinstance(source, bytes):
        rgb = _read_stream(BytesIO(source), "the image bytes", size, max_pixels)
    elif isinstance(source, Image.Image):
        rgb = _decode(source, getattr(source, "filename", "") or "the image", None, max_pixels)
    elif hasattr(source, "__array__"):
        rgb = _read_array(np.asarray(source))
    else:
        mend = "give a path, bytes, a PIL image or an array"
        raise _unreadable("the image", f"of type {type(source).__name__}", mend)
    if size is not None and rgb.size != size[::-1]:
        rgb = rgb.resize(size[::-1], Image.Resampling.BICUBIC)
    return np.array(rgb)  # (H, W, 3)


def _read_file(name: str, size: tuple[int, int] | None, max_pixels: int) -> Image.Image:
    try:
        with Path(name).open("rb") as file:
            # A pipe, such as the shell's <(...), cannot go back to its start as Pillow needs.
            stream = file if file.seekable() else BytesIO(file.read())
            return _read_stream(stream, name, size, max_pixels)
    except FileNotFoundError as error:
        raise _unreadable(name, "no such file", "check the path") from error
    except (OSError, ValueError) as error:
        # Path.is_dir raises on some names.
        if os.path.isdir(name) and os.access(name, os.R_OK):  # noqa: PTH112
            mend = "name an image, or a folder that holds images"
            raise _unreadable(name, "a folder, not an image", mend) from error
        if isinstance(error, PermissionError):
            raise _unreadable(name, "permission denied", "make it readable") from error
        reason = getattr(error, "strerror", None) or str(error)
        raise _unreadable(name, reason, "check the path and the disk") from error


def _read_stream(
    stream: BinaryIO, name: str, size: tuple[int, int] | None, max_pixels: int
) -> Image.Image:
    try:
        with Image.open(stream) as image:
            if image.format == "EPS":  # Pillow would start Ghostscript on it.
                raise _unreadable(name, "an EPS drawing", _CONVERT)
            return _decode(image, name, size, max_pixels)
    except UnidentifiedImageError as error:
        stream.seek(0)
        kind = recognize(stream.read(HEAD))
        raise _unreadable(name, kind.name, kind.fix) from error
    except CaptionerError:
        raise
    except Exception as error:  # Pillow's parsers raise nearly anything on damaged files.
        raise _failed(name, error) from error


def _decode(
    image: Image.Image, name: str, size: tuple[int, int] | None, max_pixels: int
) -> Image.Image:
    width, height = image.size
    if width * height > max_pixels:
        reason = f"{width} x {height} pixels, over the limit of {max_pixels}"
        raise _unreadable(name, reason, _SHRINK)
    try:
        if size is not None:
            # Twice the size leaves the last halvings to the better filter. A square holds for
            # either orientation.
            image.draft(None, (2 * max(size), 2 * max(size)))
        image.load()
        rgb = _to_rgb(image, name)
        upright = _UPRIGHT.get(_orientation(image))
        return rgb if upright is None else rgb.transpose(upright)
    except CaptionerError:
        raise
    except Exception as error:
        raise _failed(name, error) from error


def _orientation(image: Image.Image) -> int:
    # ImageOps.exif_transpose also writes the EXIF block anew, and fails where that is damaged.
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # A damaged EXIF block is no reason to refuse the pixels.
        return 1


def _to_rgb(image: Image.Image, name: str) -> Image.Image:
    # Pillow reads 16-bit grey as "I;16", in some formats and versions as "I".
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        values = np.asarray(image).astype(np.uint16)  # (H, W)
        grey = _to_uint8(values, name)
        if "transparency" in image.info:
            grey[values == image.info["transparency"]] = 255
        return Image.fromarray(grey).convert("RGB")
    if image.mode == "I":
        reason = "32-bit integers, of which none is known to be white"
        raise _unreadable(name, reason, "save it with 8 or 16 bits a channel")
    if image.mode == "F":
        return Image.fromarray(_to_uint8(np.asarray(image), name)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")


def _read_array(array: np.ndarray) -> Image.Image:
    name = "the array"
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        mend = "give one picture as (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)"
        raise _unreadable(name, f"shape {array.shape}", mend)
    return _to_rgb(Image.fromarray(_to_uint8(array, name)), name)


def _to_uint8(array: np.ndarray, name: str) -> np.ndarray:
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.uint16:
        return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)  # 65535 = 257 * 255
    if not np.issubdtype(array.dtype, np.floating):
        mend = "give uint8, uint16 or floats in [0, 1]"
        raise _unreadable(name, f"type {array.dtype}", mend)
    if not np.all((array >= 0) & (array <= 1)):  # NaN fails too.
        raise _unreadable(name, "floats outside [0, 1]", "scale them to [0, 1]")
    return np.rint(array.astype(np.float32) * 255).astype(np.uint8)


def _failed(name: str, error: Exception) -> CaptionerError:
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return _unreadable(name, "more pixels than PIL.Image.MAX_IMAGE_PIXELS allows", _SHRINK)
    if isinstance(error, MemoryError):
        return _unreadable(name, "not enough memory", _SHRINK)
    reason = " ".join(str(error).split()) or type(error).__name__
    return _unreadable(name, f"damaged: {reason}", _SAVE_ANEW)


def _unreadable(name: str, reason: str, mend: str) -> CaptionerError:
    return CaptionerError(f"cannot read {name or repr(name)} ({reason}): {mend}")
