"""The XMP packet of a JPEG file: one of the segments before its pixels.

ITU-T T.81, annex B, and the XMP Specification, part 3, section 1.1.3. (Adobe 2020).
"""

from collections.abc import Iterator

from captioner.errors import CaptionerError

_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
_APP0, _APP1, _APP2, _SCAN = 0xE0, 0xE1, 0xE2, 0xDA
_MOST = 65_533  # bytes of a segment's content


def read_jpeg(data: bytes) -> bytes:
    """Return the packet of a JPEG file, empty where it has none.

    Raises:
        CaptionerError: The segments are damaged.
    """
    for start, end, marker in _segments(data):
        if _is_xmp(data, start, marker):
            return data[start + 4 + len(_HEADER) : end]
    return b""


def write_jpeg(data: bytes, packet: bytes) -> bytes:
    """Return a JPEG file with another packet; all other bytes stay as they are.

    Args:
        data: The file.
        packet: At most 65,504 bytes.

    Raises:
        CaptionerError: The segments are damaged, the packet is too long, or other pictures behind
            the first could not be found any more.
    """
    content = _HEADER + packet
    if len(content) > _MOST:
        raise CaptionerError(f"its XMP would have {len(packet)} bytes, over the limit of JPEG")
    segment = bytes((0xFF, _APP1)) + (len(content) + 2).to_bytes(2, "big") + content
    at = 2
    pictures = False
    for start, end, marker in _segments(data):
        if _is_xmp(data, start, marker):
            # The offsets of a multi-picture file count from its own segment (CIPA DC-007).
            if pictures and end - start != len(segment):
                raise CaptionerError("its XMP stands behind its list of pictures")
            return data[:start] + segment + data[end:]
        pictures |= marker == _APP2 and data[start + 4 : start + 8] == b"MPF\0"
        if marker == _APP0 or (marker == _APP1 and data[start + 4 : start + 8] == b"Exif"):
            at = at if pictures else end
    return data[:at] + segment + data[at:]


def _is_xmp(data: bytes, start: int, marker: int) -> bool:
    return marker == _APP1 and data.startswith(_HEADER, start + 4)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield where each segment before the first scan starts and ends, and its marker."""
    start = 2
    while True:
        if data[start : start + 1] != b"\xff" or start + 4 > len(data):
            raise CaptionerError("its segments are damaged")
        marker = data[start + 1]
        if marker == 0xFF:  # a byte to fill up with
            start += 1
            continue
        if marker == _SCAN:
            return
        end = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
        yield start, end, marker
        start = end
