"""Pictures, and their files, for the tests of this folder."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

SAMPLES = Path(__file__).parents[2] / "data" / "samples"

# (4, 6, 3): no two pixels alike, so that every flip and turn shows.
MARKED = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3) * 3


def encode(image: Image.Image | np.ndarray, file_format: str, **options: object) -> bytes:
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    buffer = BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, extra: bytes = b"") -> bytes:
    """A PNG by hand (ISO/IEC 15948), for what Pillow does not write."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + extra
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )


def photo(height: int, width: int) -> Image.Image:
    with Image.open(SAMPLES / "coffee.jpg") as image:
        return image.resize((width, height), Image.Resampling.LANCZOS)
