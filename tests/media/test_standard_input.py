import os
from io import BytesIO

import pytest
from pictures import MARKED, encode

from captioner.errors import CaptionerError
from captioner.media import standard_input
from captioner.media.standard_input import StandardInput


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM"])
def test_an_image_is_that_image(file_format):
    data = encode(MARKED, file_format)
    stdin = StandardInput(BytesIO(data))
    assert list(stdin.paths()) == ["-"]
    assert stdin.source("-") == data
    assert stdin.source("a.jpg") == "a.jpg"


@pytest.mark.parametrize("data", [b"P3\n1 1\n255\n1 2 3\n", b"\0\0\0\x18ftypisom\0\0", b"\0\n\0"])
def test_bytes_that_are_no_list_are_one_source(data):
    stdin = StandardInput(BytesIO(data))
    assert list(stdin.paths()) == ["-"]
    assert stdin.source("-") == data


@pytest.mark.parametrize(
    ("data", "paths"),
    [
        (b"", []),
        (b"\n\r\n", []),
        (b"one.jpg", ["one.jpg"]),
        (b"a.jpg\r\nb c.jpg\n\nd.jpg", ["a.jpg", "b c.jpg", "d.jpg"]),
        (b"P1.jpg\nP6/x.jpg\n", ["P1.jpg", "P6/x.jpg"]),
        (b"BM/1.bmp\nGIF89a.gif\nRIFF.webp\n", ["BM/1.bmp", "GIF89a.gif", "RIFF.webp"]),
        (b"\xff\xd8.jpg\n", [os.fsdecode(b"\xff\xd8.jpg")]),
    ],
)
def test_a_list_of_paths(data, paths):
    stdin = StandardInput(BytesIO(data))
    assert list(stdin.paths()) == paths
    assert stdin.source("-") == "-"


def test_a_long_list_is_read_as_it_is_written():
    end, start = os.pipe()
    with open(end, "rb") as stream, open(start, "wb", buffering=0) as writer:  # noqa: PTH123
        paths = StandardInput(stream).paths()
        for number in range(3):
            writer.write(f"{number}.jpg\n".encode())
            assert next(paths) == f"{number}.jpg"
        os.set_blocking(start, False)
        names = [f"a folder/with a longish name {number}.jpg" for number in range(1000)]
        writer.write("\n".join(names).encode())
        writer.close()
        assert list(paths) == names


def test_an_image_is_bounded(monkeypatch):
    monkeypatch.setattr(standard_input, "MOST_PIPED", 1000)
    assert list(StandardInput(BytesIO(b"\0" * 1000)).paths()) == ["-"]
    with pytest.raises(CaptionerError, match=r"read - \(more than 0 MiB on standard input\): save"):
        list(StandardInput(BytesIO(b"\0" * 1001)).paths())
