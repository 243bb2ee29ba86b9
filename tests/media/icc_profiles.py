"""Colour profiles by hand, for the tests of this folder: ICC.1:2022, of three primaries."""

import struct

import numpy as np

D50 = np.array([0.9642, 1.0, 0.8249])
# Columns are the primaries, adapted to D50, as Apple's and Adobe's own profiles have them.
DISPLAY_P3 = np.array(
    [[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]]
)
ADOBE_RGB = np.array(
    [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
)
# IEC 61966-2-1, from XYZ under D50.
_TO_SRGB = np.array(
    [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ]
)


def matrix_profile(primaries, gamma, name="test"):
    """The bytes of a profile of RGB with one exponent.

    Args:
        primaries: float (3, 3), XYZ of red, green and blue in its columns.
        gamma: Exponent of all three.
        name: Description.
    """

    def xyz(values):
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *np.rint(65536 * values).astype(int))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(256 * gamma))
    text = name.encode("ascii") + b"\0"
    description = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)
    tags = {
        b"desc": description,
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": xyz(D50),
        **{name: xyz(primaries[:, i]) for i, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for tag, content in tags.items():
        table += struct.pack(">4sII", tag, start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(
        ">I4sI4s4s4s12s4sIIIIQI3i48s",
        *(
            start + len(body),
            b"\0\0\0\0",
            0x02400000,
            b"mntr",
            b"RGB ",
            b"XYZ ",
            bytes(12),
            b"acsp",
        ),
        *(0, 0, 0, 0, 0, 0),
        *np.rint(65536 * D50).astype(int),
        bytes(48),
    )
    return head + table + body


def by_definition(rgb, primaries, gamma):
    """Pixels in sRGB, uint8 (H, W, 3), by the equations of a profile."""
    linear = ((rgb / 255) ** gamma) @ (_TO_SRGB @ primaries).T
    linear = np.clip(linear, 0, 1)
    coded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(255 * coded)
