"""The XMP packet of a WebP file: the last of its chunks (RFC 9649, section 2.7)."""

from collections.abc import Iterator

from captioner.errors import CaptionerError

_HEADER = 12  # bytes: RIFF, size, WEBP
_HAS_XMP, _HAS_ALPHA = 0x04, 0x10  # flags of VP8X


def read_webp(data: bytes) -> bytes:
    """Return the packet of a WebP file, empty where it has none.

    Raises:
        CaptionerError: The chunks are damaged.
    """
    for start, end, kind in _chunks(data):
        if kind == b"XMP ":
            return data[start + 8 : end]
    return b""


def write_webp(data: bytes, packet: bytes) -> bytes:
    """Return a WebP file with another packet.

    A file of the simple kind gets the header of the extended one; the chunks of its pixels stay as
    they are.

    Raises:
        CaptionerError: The chunks are damaged.
    """
    chunks = [(kind, data[start + 8 : end]) for start, end, kind in _chunks(data)]
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


def _chunks(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield where each chunk starts and ends, without the byte that fills it up, and its type."""
    total = min(8 + int.from_bytes(data[4:8], "little"), len(data))
    start = _HEADER
    while start + 8 <= total:
        end = start + 8 + int.from_bytes(data[start + 4 : start + 8], "little")
        if end > len(data):
            raise CaptionerError("its chunks are damaged")
        yield start, end, data[start : start + 4]
        start = end + (end - start) % 2


def _extended_header(kind: bytes, content: bytes) -> bytes:
    """Return the content of VP8X for a file of one chunk of pixels."""
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
