"""Camera RAW files, read from the full-size JPEG previews that cameras embed in them.

The preview is the image that the camera itself shows: developed, and sharp enough for captions.
Only files whose previews are all small are developed here, with LibRaw.
"""

import mmap
import struct
from collections.abc import Iterator
from importlib.util import find_spec
from io import BytesIO
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image

from captioner.errors import unreadable
from captioner.media.budget import DECODING
from captioner.media.files import RAW_SUFFIXES

_LEAST = 480  # pixels of a preview's shorter side, about twice the network's input; not a thumbnail
_HEADER = 2**20  # bytes that are searched for the size of a JPEG
_START = b"\xff\xd8\xff"
_MAGIC = (
    *(b"FUJIFILMCCD-RAW", b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FOVb"),
    *(b"\0\0\0\x18ftypcrx ", b"II*\0\x10\0\0\0CR\x02"),
)
_REDUCED, _DNG_VERSION = 254, 50706  # tags: NewSubfileType (bit 0: reduced size) and DNGVersion
_BYTES_DEVELOPED = 20  # per pixel of the sensor, as measured
_KEPT = 0.75  # share of the rows that must be present, as in other truncated images


def is_raw(name: str, head: bytes) -> bool:
    """Return True if a name or the first bytes indicate a RAW file; most others look like TIFF.

    Example:
        >>> is_raw("DSC_1.NEF", b""), is_raw("a.jpg", b"FUJIFILMCCD-RAW 0201"), is_raw("a.jpg", b"")
        (True, True, False)
    """
    return name.lower().endswith(RAW_SUFFIXES) or head.startswith(_MAGIC)


def is_thumbnail(image: Image.Image) -> bool:
    """Return True if an image that Pillow opened as TIFF is only the thumbnail of a RAW file."""
    tags = getattr(image, "tag_v2", {})
    return bool(tags.get(_REDUCED, 0) & 1) or (_DNG_VERSION in tags and min(image.size) < _LEAST)


def open_raw(file: BinaryIO, name: str) -> Image.Image:
    """Open the largest preview of a RAW file, or develop the file if it has only thumbnails.

    Args:
        file: Open RAW file.
        name: Name of the file for error messages.

    Returns:
        An image, not yet decoded, with the EXIF orientation of the RAW file.

    Raises:
        CaptionerError: If it has only small previews and LibRaw is not installed, or if it is
            damaged.
    """
    with _view(file) as data:
        found = sorted(_previews(data), key=lambda at: min(at[0]), reverse=True)
        size, start = found[0] if found else ((0, 0), 0)
        if min(size) >= _LEAST:
            image = Image.open(BytesIO(data[start:]))
            exif = image.getexif()
            if ExifTags.Base.Orientation not in exif:
                exif[ExifTags.Base.Orientation] = _orientation(data)
            return image
    if find_spec("rawpy") is None:
        width, height = size
        reason = "a camera RAW file without a preview"
        if size > (0, 0):
            reason = f"a camera RAW file whose preview has only {width} x {height} pixels"
        fix = "pip install 'captioner[raw]', or convert it to JPEG"
        raise unreadable(name, reason, fix)
    return _develop(file, name)


def _view(file: BinaryIO) -> mmap.mmap:
    try:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):  # bytes, or data from a pipe
        file.seek(0)
        content = file.read()
        view = mmap.mmap(-1, max(len(content), 1))
        view[: len(content)] = content
        return view


def _previews(data: mmap.mmap) -> Iterator[tuple[tuple[int, int], int]]:
    """Yield the size and the offset of each JPEG in a file."""
    start = data.find(_START)
    while start >= 0:
        try:
            # The sensor data may be a JPEG, too, of a kind that Pillow does not open.
            with Image.open(BytesIO(data[start : start + _HEADER]), formats=("JPEG",)) as image:
                yield image.size, start
        except Exception:  # matching bytes by chance, or another kind of JPEG
            pass
        start = data.find(_START, start + 1)


def _orientation(data: mmap.mmap) -> int:
    """Return the orientation in the first directory of a RAW file, or 1 if it has none.

    The structure is that of TIFF 6.0, section 2, which all RAW formats except Fuji's use; CR3 has
    it in a box.
    """
    base = 0
    if data[4:12] == b"ftypcrx ":
        base = data.find(b"CMT1", 0, _HEADER) + 4
    order = {b"II": "<", b"MM": ">"}.get(data[base : base + 2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", data, base + 4)
        (count,) = struct.unpack_from(f"{order}H", data, base + start)
        for number in range(count):
            at = base + start + 2 + 12 * number
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", data, at)
            if tag == ExifTags.Base.Orientation and kind == 3:
                return int(value)
    except struct.error:
        pass
    return 1


def _develop(file: BinaryIO, name: str) -> Image.Image:
    import rawpy

    file.seek(0)
    try:
        with rawpy.imread(file) as raw:
            pixels = raw.sizes.raw_width * raw.sizes.raw_height
            with DECODING.reserve(pixels * _BYTES_DEVELOPED):
                # Half the size takes a quarter of the time; the sensor has one colour per pixel.
                rgb = raw.postprocess(half_size=True, use_camera_wb=True)
    except (rawpy.LibRawError, ValueError, MemoryError) as error:
        said = error.args[0] if error.args else error
        said = said.decode(errors="replace") if isinstance(said, bytes) else said
        reason = f"a camera RAW file that LibRaw cannot develop: {said}"
        raise unreadable(name, reason, "convert it to JPEG") from error
    # If the file is truncated, LibRaw reports nothing and leaves the missing part black.
    lit: np.ndarray = rgb.max(axis=2) > 0  # (H, W)
    if min(lit.any(axis=0).mean(), lit.any(axis=1).mean()) < _KEPT:
        raise unreadable(name, "a camera RAW file with missing pixels", "fetch it again")
    return Image.fromarray(rgb)  # upright already
