"""Images that were cut off shortly before their end, as by broken downloads or full cards."""

import struct
import zlib
from io import BytesIO

import numpy as np
from PIL import Image

from captioner.media.budget import DECODING

_LEAST = 0.75  # share of the rows that must be present
_END_OF_JPEG = b"\xff\xd9"
_FILLING = 128  # libjpeg's value for missing pixels
_BYTES = 20  # for each pixel: the decoder's coefficients, its image, and a copy
_PNG = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by the colour type of PNG


def read_cut_short(data: bytes, max_pixels: int) -> Image.Image | None:
    """Decode the available rows of a truncated JPEG or PNG image.

    Args:
        data: Content of the truncated file.
        max_pixels: Maximum width times height, as stated in the header.

    Returns:
        The decoded upper part of the image; None if less than three quarters of it are present, or
        if it has another defect.

    Example:
        >>> from pathlib import Path
        >>> data = Path("data/samples/cat.jpg").read_bytes()
        >>> read_cut_short(data[:-2000], 10**6).size, read_cut_short(data[:2000], 10**6)
        ((451, 289), None)
    """
    try:
        if data.startswith(b"\xff\xd8"):
            return _read_jpeg(data, max_pixels)
        if data.startswith(_PNG) and not data.endswith(_chunk(b"IEND", b"")):
            return _read_png(data, max_pixels)
    except Exception:  # Pillow's parsers raise nearly anything on damaged files.
        return None
    return None


def _read_jpeg(data: bytes, max_pixels: int) -> Image.Image | None:
    with Image.open(BytesIO(data + _END_OF_JPEG), formats=("JPEG",)) as image:
        if image.mode not in ("RGB", "L") or image.width * image.height > max_pixels:
            return None
        with DECODING.reserve(image.width * image.height * _BYTES):
            rows = np.asarray(image).reshape(image.height, -1)  # (H, W * channels)
            known = np.flatnonzero((rows != _FILLING).any(axis=1))
            return _upper_part(image, known[-1] + 1 if len(known) else 0)


def _read_png(data: bytes, max_pixels: int) -> Image.Image | None:
    """Complete the pixel stream with rows of zeros, decode it, and crop these rows off."""
    width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    if interlaced or width * height > max_pixels:
        return None
    row = 1 + (width * depth * _CHANNELS[colour] + 7) // 8  # bytes, the first names a filter
    with DECODING.reserve(width * height * _BYTES):
        head, compressed = bytearray(), bytearray()
        start = len(_PNG)
        while start + 8 < len(data):
            size, kind = struct.unpack_from(">I4s", data, start)
            if kind == b"IDAT":
                compressed += data[start + 8 : start + 8 + size]
            elif not compressed:
                head += data[start : start + 12 + size]
            start += 12 + size
        rows = zlib.decompressobj().decompress(bytes(compressed), row * height)
        body = zlib.compress(rows.ljust(row * height, b"\0"), 1)
        chunks = _chunk(b"IDAT", body) + _chunk(b"IEND", b"")
        with Image.open(BytesIO(_PNG + bytes(head) + chunks), formats=("PNG",)) as image:
            return _upper_part(image, len(rows) // row)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _upper_part(image: Image.Image, rows: int) -> Image.Image | None:
    if rows < _LEAST * image.height:
        return None
    part = image.crop((0, 0, image.width, rows))
    part.load()
    return part
