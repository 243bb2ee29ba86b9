import os
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import MARKED, encode, photo, png
from PIL import Image

from captioner.errors import CaptionerError
from captioner.media.image import load_image


def error_of(source: object, **options: object) -> str:
    with pytest.raises(CaptionerError) as caught:
        load_image(source, **options)  # type: ignore[arg-type]
    message = str(caught.value)
    # One sentence: what cannot be read, why in brackets, the mend after the colon.
    assert re.fullmatch(r"cannot read [^\n]+ \([^\n]+\): [^\n]+", message), message
    return message


def test_pixel_limit_is_checked_before_decoding():
    # A header of 3 * 10^9 pixels, and no pixels: decoding could only fail otherwise.
    bomb = png(60_000, 50_000, 8, 0, b"")
    assert "more pixels than PIL.Image.MAX_IMAGE_PIXELS" in error_of(bomb)
    small = png(100, 50, 8, 0, b"")
    assert "100 x 50 pixels, over the limit of 4999" in error_of(small, max_pixels=4999)
    assert "damaged" in error_of(small, max_pixels=5000)


def test_pixel_limit_of_pil_images():
    assert "the image (6 x 4 pixels" in error_of(Image.fromarray(MARKED), max_pixels=23)
    assert load_image(Image.fromarray(MARKED), max_pixels=24).shape == (4, 6, 3)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"])
def test_truncated(tmp_path, file_format):
    data = encode(photo(60, 90), file_format)
    for length in (len(data) // 2, 40):
        path = tmp_path / "half"
        path.write_bytes(data[:length])
        assert str(path) in error_of(path)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "TGA"]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
)
def test_damage_gives_a_picture_or_an_error(file_format, damage):
    data = bytearray(encode(MARKED, file_format))
    for place, byte in damage:
        data[int(place * len(data))] = byte
    try:
        assert load_image(bytes(data), max_pixels=10_000).dtype == np.uint8
    except CaptionerError as error:
        assert str(error).startswith("cannot read the image bytes (")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_noise_gives_a_picture_or_an_error(data):
    try:
        assert load_image(data, max_pixels=10_000).shape[2] == 3
    except CaptionerError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"Dear diary, today I saw a dog.", "not an image, or in a format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- x -->\n<svg></svg>", "an SVG drawing"),
        (b"<?xml version='1.0'?><rss></rss>", "not an image, or in a format"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a damaged HEIC image"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "a damaged HEIC image"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomavc1", "a video or another ISO media file"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "an AVIF image that this version of Pillow"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL image"),
        (b"%PDF-1.7", "a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "an EPS drawing"),
    ],
)
def test_what_is_no_picture_is_named(tmp_path, content, reason):
    path = tmp_path / "file"
    path.write_bytes(content)
    assert error_of(path).startswith(f"cannot read {path} ({reason}")
    assert error_of(content).startswith(f"cannot read the image bytes ({reason}")


def test_missing_and_folder(tmp_path):
    missing = tmp_path / "none.jpg"
    assert error_of(missing) == f"cannot read {missing} (no such file): check the path"
    assert f"{tmp_path} (a folder, not an image)" in error_of(tmp_path)


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 300, "{file}/inside.jpg"])
def test_impossible_paths(tmp_path, name):
    file = tmp_path / "file"
    file.touch()
    error_of(name.format(file=file))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read every file")
def test_permission_denied(tmp_path):
    path = tmp_path / "secret.png"
    path.write_bytes(encode(MARKED, "PNG"))
    path.chmod(0)
    assert error_of(path).startswith(f"cannot read {path} (permission denied): ")


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((3, 8, 9), np.uint8), r"shape \(3, 8, 9\)"),
        (np.zeros((1, 8, 8, 3), np.uint8), r"shape \(1, 8, 8, 3\)"),
        (np.zeros((8, 8, 2), np.uint8), r"shape \(8, 8, 2\)"),
        (np.zeros((0, 8, 3), np.uint8), r"shape \(0, 8, 3\)"),
        (np.zeros(8, np.uint8), r"shape \(8,\)"),
        (np.zeros((8, 8), np.int64), "type int64"),
        (np.zeros((8, 8), bool), "type bool"),
        (np.array([["a"]]), "type <U1"),
        (np.full((8, 8), 200.0), r"floats outside \[0, 1\]"),
        (np.full((8, 8), -0.1), r"floats outside \[0, 1\]"),
        (np.full((8, 8), np.nan), r"floats outside \[0, 1\]"),
    ],
)
def test_other_arrays_are_refused(array, reason):
    assert re.match(rf"cannot read the array \({reason}\): (give|scale) ", error_of(array))


def test_other_types_are_refused():
    assert "of type list" in error_of([[1, 2], [3, 4]])
    assert "of type NoneType" in error_of(None)
