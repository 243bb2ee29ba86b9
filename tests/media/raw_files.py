"""Camera RAW files by hand, for the tests of this folder: TIFF 6.0 and the DNG Specification."""

import struct

import numpy as np

SHORT, LONG, RATIONAL, ASCII, BYTE, SRATIONAL = 3, 4, 5, 2, 1, 10
_SIZES = {BYTE: 1, ASCII: 1, SHORT: 2, LONG: 4, RATIONAL: 8, SRATIONAL: 8}
_FORMATS = {BYTE: "B", SHORT: "H", LONG: "I", RATIONAL: "II", SRATIONAL: "ii"}


def dng(thumbnail, preview=b"", sensor=None, orientation=1, magic=b"II*\0"):
    """A file as cameras write it: a thumbnail first, then a JPEG and the pixels of the sensor.

    Args:
        thumbnail: uint8 (h, w, 3), without compression.
        preview: JPEG; empty for none.
        sensor: uint16 (H, W) behind a Bayer filter RGGB; None for none.
        orientation: As in EXIF.
        magic: First bytes; some makers have their own.
    """
    height, width, _ = thumbnail.shape
    body = bytearray(magic + struct.pack("<I", 8))
    directories = [
        {
            254: (LONG, [1]),
            **_strip(width, height, thumbnail.tobytes()),
            258: (SHORT, [8, 8, 8]),
            262: (SHORT, [2]),
            277: (SHORT, [3]),
            271: (ASCII, b"Maker\0"),
            272: (ASCII, b"Camera\0"),
            274: (SHORT, [orientation]),
            306: (ASCII, b"2001:02:03 04:05:06\0"),
            50706: (BYTE, [1, 4, 0, 0]),
            50708: (ASCII, b"Maker Camera\0"),
            50721: (SRATIONAL, [v for x in np.eye(3).ravel() for v in (int(x), 1)]),
            50728: (RATIONAL, [1, 1] * 3),
        }
    ]
    if sensor is not None:
        rows, columns = sensor.shape
        directories.append(
            {
                254: (LONG, [0]),
                **_strip(columns, rows, sensor.astype("<u2").tobytes()),
                258: (SHORT, [16]),
                262: (SHORT, [32803]),
                277: (SHORT, [1]),
                33421: (SHORT, [2, 2]),
                33422: (BYTE, [0, 1, 1, 2]),
                50717: (LONG, [65535]),
            }
        )
    if preview:
        directories.append({254: (LONG, [1]), **_strip(1, 1, preview), 259: (SHORT, [7])})
    places = [_append(body, directory) for directory in directories[1:]]
    if places:
        directories[0][330] = (LONG, places)
    struct.pack_into("<I", body, 4, _append(body, directories[0]))
    return bytes(body)


def _strip(width, height, content):
    return {
        256: (LONG, [width]),
        257: (LONG, [height]),
        259: (SHORT, [1]),
        273: (None, content),
        278: (LONG, [height]),
        279: (LONG, [len(content)]),
    }


def _append(body, directory):
    """Append a directory and what it refers to; returns where it starts."""
    entries = []
    for tag, (kind, values) in sorted(directory.items()):
        if kind is None:  # a strip, whose place is the value
            kind, values, place = LONG, [len(body)], values
            body += place + b"\0" * (len(place) % 2)
        data = (
            values
            if kind == ASCII
            else b"".join(
                struct.pack(f"<{_FORMATS[kind]}", *pair)
                for pair in zip(*[iter(values)] * len(_FORMATS[kind]), strict=True)
            )
        )
        count = len(data) // _SIZES[kind]
        if len(data) > 4:
            place = len(body)
            body += data + b"\0" * (len(data) % 2)
            data = struct.pack("<I", place)
        entries.append(struct.pack("<HHI", tag, kind, count) + data.ljust(4, b"\0"))
    start = len(body)
    body += struct.pack("<H", len(entries)) + b"".join(entries) + b"\0" * 4
    return start
