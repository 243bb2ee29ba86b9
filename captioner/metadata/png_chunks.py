"""The XMP packet of a PNG file: one of its chunks of international text.

ISO/IEC 15948, sections 5.3 and 11.3.4.5, and the XMP Specification, part 3, section 1.1.5.
"""

import zlib
from collections.abc import Iterator

from captioner.errors import CaptionerError

_SIGNATURE = 8  # bytes
_KEYWORD = b"XML:com.adobe.xmp\0"
_MOST = 16 * 2**20  # bytes of a packet that was compressed


def read_png(data: bytes) -> bytes:
    """Return the packet of a PNG file, empty where it has none.

    Raises:
        CaptionerError: The chunks are damaged.
    """
    for start, end, kind in _chunks(data):
        if _is_xmp(data, start, kind):
            content = data[start + 8 + len(_KEYWORD) : end - 4]
            compressed = content[:1] == b"\1"
            text = content[2:].split(b"\0", 2)[-1]  # behind the language and the translated keyword
            return _inflate(text) if compressed else text
    return b""


def write_png(data: bytes, packet: bytes) -> bytes:
    """Return a PNG file with another packet; all other bytes stay as they are.

    Raises:
        CaptionerError: The chunks are damaged.
    """
    body = b"iTXt" + _KEYWORD + b"\0\0\0\0" + packet
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    at = None
    for start, end, kind in _chunks(data):
        if _is_xmp(data, start, kind):
            return data[:start] + chunk + data[end:]
        if at is None:
            at = end  # behind IHDR, which is the first
    if at is None:
        raise CaptionerError("its chunks are damaged")
    return data[:at] + chunk + data[at:]


def _is_xmp(data: bytes, start: int, kind: bytes) -> bool:
    return kind == b"iTXt" and data.startswith(_KEYWORD, start + 8)


def _chunks(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield where each chunk starts and ends, and its type."""
    start = _SIGNATURE
    while start < len(data):
        end = start + 12 + int.from_bytes(data[start : start + 4], "big")
        kind = data[start + 4 : start + 8]
        if end > len(data):
            raise CaptionerError("its chunks are damaged")
        yield start, end, kind
        if kind == b"IEND":  # what stands behind is no chunk
            return
        start = end


def _inflate(text: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(text, _MOST)
    except zlib.error as error:
        raise CaptionerError(f"its XMP is damaged ({error})") from error
