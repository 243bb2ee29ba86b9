"""XMP packets of JPEG, PNG and WebP files, read and written without changing the pixels."""

import zlib
from collections.abc import Iterator

from captioner.errors import CaptionerError

_XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
_APP0, _APP1, _APP2, _SCAN = 0xE0, 0xE1, 0xE2, 0xDA
_MOST_OF_A_SEGMENT = 65_533  # maximum bytes of a segment's content


def read_jpeg(data: bytes) -> bytes:
    """Return the packet of a JPEG file, empty if it has none.

    Raises:
        CaptionerError: If the segments are damaged.
    """
    for start, end, marker in _segments(data):
        if _is_xmp_segment(data, start, marker):
            return data[start + 4 + len(_XMP_HEADER) : end]
    return b""


def write_jpeg(data: bytes, packet: bytes) -> bytes:
    """Return a JPEG file with a new packet; all other bytes stay unchanged.

    Args:
        data: Content of the file.
        packet: Packet of at most 65,504 bytes.

    Raises:
        CaptionerError: If the segments are damaged, the packet is too long, or the offsets of
            further images after the first would become wrong.
    """
    content = _XMP_HEADER + packet
    if len(content) > _MOST_OF_A_SEGMENT:
        raise CaptionerError(f"its XMP would have {len(packet)} bytes, over the limit of JPEG")
    segment = bytes((0xFF, _APP1)) + (len(content) + 2).to_bytes(2, "big") + content
    at = 2
    pictures = False
    for start, end, marker in _segments(data):
        if _is_xmp_segment(data, start, marker):
            # The offsets of a multi-picture file are relative to its MPF segment (CIPA DC-007).
            if pictures and end - start != len(segment):
                raise CaptionerError("its XMP comes after its list of images")
            return data[:start] + segment + data[end:]
        pictures |= marker == _APP2 and data[start + 4 : start + 8] == b"MPF\0"
        if marker == _APP0 or (marker == _APP1 and data[start + 4 : start + 8] == b"Exif"):
            at = at if pictures else end
    return data[:at] + segment + data[at:]


def _is_xmp_segment(data: bytes, start: int, marker: int) -> bool:
    return marker == _APP1 and data.startswith(_XMP_HEADER, start + 4)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the start, end and marker of each segment before the first scan."""
    start = 2
    while True:
        if data[start : start + 1] != b"\xff" or start + 4 > len(data):
            raise CaptionerError("its segments are damaged")
        marker = data[start + 1]
        if marker == 0xFF:  # a fill byte
            start += 1
            continue
        if marker == _SCAN:
            return
        end = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
        yield start, end, marker
        start = end


_SIGNATURE = 8  # bytes
_KEYWORD = b"XML:com.adobe.xmp\0"
_MOST_OF_A_PACKET = 16 * 2**20  # maximum bytes of a decompressed packet


def read_png(data: bytes) -> bytes:
    """Return the packet of a PNG file, empty if it has none.

    Raises:
        CaptionerError: If the chunks are damaged.
    """
    for start, end, kind in _png_chunks(data):
        if _is_xmp_chunk(data, start, kind):
            content = data[start + 8 + len(_KEYWORD) : end - 4]
            compressed = content[:1] == b"\1"
            text = content[2:].split(b"\0", 2)[-1]  # after the language and the translated keyword
            return _inflate(text) if compressed else text
    return b""


def write_png(data: bytes, packet: bytes) -> bytes:
    """Return a PNG file with a new packet; all other bytes stay unchanged.

    Raises:
        CaptionerError: If the chunks are damaged.
    """
    body = b"iTXt" + _KEYWORD + b"\0\0\0\0" + packet
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    at = None
    for start, end, kind in _png_chunks(data):
        if _is_xmp_chunk(data, start, kind):
            return data[:start] + chunk + data[end:]
        if at is None:
            at = end  # after IHDR, which is the first chunk
    if at is None:
        raise CaptionerError("its chunks are damaged")
    return data[:at] + chunk + data[at:]


def _is_xmp_chunk(data: bytes, start: int, kind: bytes) -> bool:
    return kind == b"iTXt" and data.startswith(_KEYWORD, start + 8)


def _png_chunks(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield the start, end and type of each chunk."""
    start = _SIGNATURE
    while start < len(data):
        end = start + 12 + int.from_bytes(data[start : start + 4], "big")
        kind = data[start + 4 : start + 8]
        if end > len(data):
            raise CaptionerError("its chunks are damaged")
        yield start, end, kind
        if kind == b"IEND":  # data after it are not a chunk
            return
        start = end


def _inflate(text: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(text, _MOST_OF_A_PACKET)
    except zlib.error as error:
        raise CaptionerError(f"its XMP is damaged ({error})") from error


_RIFF_HEADER = 12  # bytes: RIFF, size, WEBP
_HAS_XMP, _HAS_ALPHA = 0x04, 0x10  # flags of VP8X


def read_webp(data: bytes) -> bytes:
    """Return the packet of a WebP file, empty if it has none.

    Raises:
        CaptionerError: If the chunks are damaged.
    """
    for start, end, kind in _webp_chunks(data):
        if kind == b"XMP ":
            return data[start + 8 : end]
    return b""


def write_webp(data: bytes, packet: bytes) -> bytes:
    """Return a WebP file with a new packet.

    A file in the simple format gets the header of the extended format; the chunks of its pixels
    stay unchanged.

    Raises:
        CaptionerError: If the chunks are damaged.
    """
    chunks = [(kind, data[start + 8 : end]) for start, end, kind in _webp_chunks(data)]
    if not chunks:
        raise CaptionerError("its chunks are damaged")
    kind, content = chunks[0]
    if kind == b"VP8X":
        chunks[0] = (kind, bytes((content[0] | _HAS_XMP,)) + content[1:])
    else:
        chunks.insert(0, (b"VP8X", _extended_header(kind, content)))
    chunks = [chunk for chunk in chunks if chunk[0] != b"XMP "] + [(b"XMP ", packet)]
    body = b"WEBP" + b"".join(map(_encode, chunks))
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _encode(chunk: tuple[bytes, bytes]) -> bytes:
    kind, content = chunk
    return kind + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) % 2)


def _webp_chunks(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield the start, the end without the padding byte, and the type of each chunk."""
    total = min(8 + int.from_bytes(data[4:8], "little"), len(data))
    start = _RIFF_HEADER
    while start + 8 <= total:
        end = start + 8 + int.from_bytes(data[start + 4 : start + 8], "little")
        if end > len(data):
            raise CaptionerError("its chunks are damaged")
        yield start, end, data[start : start + 4]
        start = end + (end - start) % 2


def _extended_header(kind: bytes, content: bytes) -> bytes:
    """Return the content of the VP8X chunk for a file with a single chunk of pixels."""
    if kind == b"VP8 " and content[3:6] == b"\x9d\x01\x2a":  # RFC 6386, section 9.1
        width, height = (int.from_bytes(content[i : i + 2], "little") & 0x3FFF for i in (6, 8))
        flags = _HAS_XMP
    elif kind == b"VP8L" and content[:1] == b"\x2f":  # RFC 9649, section 3.4
        bits = int.from_bytes(content[1:5], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        flags = _HAS_XMP | (_HAS_ALPHA if bits >> 28 & 1 else 0)
    else:
        raise CaptionerError("its chunks are damaged")
    sizes = b"".join((side - 1).to_bytes(3, "little") for side in (width, height))
    return bytes((flags, 0, 0, 0)) + sizes
