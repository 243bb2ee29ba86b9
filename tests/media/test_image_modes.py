import struct
from io import BytesIO

import numpy as np
import pytest
from pictures import MARKED, encode, photo, png, png_chunk
from PIL import Image

from captioner.errors import CaptionerError
from captioner.media.image import load_image

# What EXIF says of the stored pixels, undone with NumPy (CIPA DC-008, tag 0x0112).
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP"])
def test_exif_orientation(orientation, file_format):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if file_format == "WEBP" else {}
    data = encode(MARKED, file_format, exif=exif, **options)
    assert np.array_equal(load_image(data), UPRIGHT[orientation](MARKED))


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation_of_a_draft(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = photo(400, 900)
    expected = load_image(UPRIGHT[orientation](np.asarray(image)), size=(30, 40)).astype(int)
    result = load_image(encode(image, "JPEG", quality=95, exif=exif), size=(30, 40))
    assert np.abs(result - expected).mean() < 2


def test_damaged_exif_is_left_aside():
    data = encode(MARKED, "PNG")
    damaged = data[:33] + png_chunk(b"eXIf", b"MM\x00*\x00\x00\x00\x08\xff\xff\x01") + data[33:]
    assert np.array_equal(load_image(damaged), MARKED)


def test_palette():
    image = Image.fromarray(MARKED).quantize(256)
    assert image.mode == "P"
    assert np.array_equal(load_image(encode(image, "PNG")), np.asarray(image.convert("RGB")))


def test_transparent_palette_is_laid_over_white():
    image = Image.new("P", (3, 1))
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.putdata([0, 1, 2])
    png_alphas = encode(image, "PNG", transparency=bytes([0, 51, 255]))
    assert load_image(png_alphas).tolist() == [[[255, 255, 255], [204, 255, 204], [0, 0, 255]]]
    gif = encode(image, "GIF", transparency=1)
    assert load_image(gif).tolist() == [[[255, 0, 0], [255, 255, 255], [0, 0, 255]]]


def test_grey_and_grey_with_alpha():
    grey = Image.fromarray(np.array([[0, 100, 255]], np.uint8))
    assert load_image(encode(grey, "PNG"))[0, :, 1].tolist() == [0, 100, 255]
    grey.putalpha(Image.fromarray(np.array([[255, 51, 0]], np.uint8)))
    assert grey.mode == "LA"
    assert load_image(encode(grey, "PNG"))[0, :, 1].tolist() == [0, 224, 255]  # 20 + 0.8 * 255


def test_rgb_with_a_transparent_colour():
    rows = b"\0" + bytes([1, 2, 3, 4, 5, 6])
    data = png(2, 1, 8, 2, rows, png_chunk(b"tRNS", struct.pack(">HHH", 1, 2, 3)))
    assert load_image(data).tolist() == [[[255, 255, 255], [4, 5, 6]]]


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_one_bit(file_format):
    image = Image.fromarray(np.array([[0, 255, 0]], np.uint8)).convert("1")
    assert load_image(encode(image, file_format))[0, :, 2].tolist() == [0, 255, 0]


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "PGM"])
def test_16_bit_grey_is_scaled_and_not_clipped(file_format):
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    if file_format == "PGM":  # by hand: older Pillows do not write it
        data = b"P5 256 256 65535\n" + levels.astype(">u2").tobytes()
    else:
        data = encode(levels, file_format)
    expected = np.floor(levels / 65535 * 255 + 0.5)
    assert np.array_equal(load_image(data), np.repeat(expected[:, :, None], 3, axis=2))


def test_big_endian_16_bit_grey():
    levels = np.array([[0, 257, 25700, 65535]], ">u2")
    image = Image.frombytes("I;16B", (4, 1), levels.tobytes())
    assert load_image(image)[0, :, 0].tolist() == [0, 1, 100, 255]


def test_16_bit_grey_with_a_transparent_level():
    rows = b"\0" + struct.pack(">HHH", 0, 1000, 2000)
    data = png(3, 1, 16, 0, rows, png_chunk(b"tRNS", struct.pack(">H", 1000)))
    assert load_image(data)[0, :, 0].tolist() == [0, 255, 8]


def test_16_bit_colour():
    rows = b"\0" + struct.pack(">HHH", 65535, 25700, 0)
    assert load_image(png(1, 1, 16, 2, rows)).tolist() == [[[255, 100, 0]]]


def test_float_tiff():
    levels = np.array([[0, 0.2, 1]], np.float32)
    assert load_image(encode(levels, "TIFF"))[0, :, 0].tolist() == [0, 51, 255]
    with pytest.raises(CaptionerError, match="floats outside"):
        load_image(encode(levels * 255, "TIFF"))


def test_32_bit_integers_are_refused():
    data = encode(np.array([[0, 70000]], np.int32), "TIFF")
    with pytest.raises(CaptionerError, match="32-bit integers"):
        load_image(data)


CMYK_INKS = [(0, 0, 0, 0), (255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 255, 0), (0, 0, 0, 255)]
CMYK_COLOURS = [(255, 255, 255), (0, 255, 255), (255, 0, 255), (255, 255, 0), (0, 0, 0)]


@pytest.mark.parametrize("file_format", ["TIFF", "JPEG"])
def test_cmyk(file_format):
    # A patch of 16 x 16 for each ink. Pillow writes JPEGs inverted, as Adobe does.
    inks = np.repeat(np.repeat(np.array([CMYK_INKS], np.uint8), 16, axis=0), 16, axis=1)
    data = encode(Image.fromarray(inks, "CMYK"), file_format)
    if file_format == "JPEG":
        assert b"Adobe" in data
        with Image.open(BytesIO(data)) as stored:
            assert stored.mode == "CMYK"
    colours = load_image(data)[8, 8::16].astype(int)
    assert np.abs(colours - CMYK_COLOURS).max() <= 3


def test_ycbcr():
    # BT.601 of (200, 30, 90) as in JFIF: Y = 0.299 R + 0.587 G + 0.114 B, and so on.
    image = Image.new("YCbCr", (2, 2), (88, 129, 208))
    assert np.abs(load_image(image).astype(int) - (200, 30, 90)).max() <= 2


def test_lab_tiff():
    # CIE L*a*b* (D50) of sRGB red is (54.3, 80.8, 69.9), of green (87.8, -79.3, 81.0), of the grey
    # 128 (53.6, 0, 0): L in 255ths, a and b as signed bytes, all three rounded.
    lab = np.array([[(138, 81, 70), (224, 256 - 79, 81), (137, 0, 0)]], np.uint8)
    data = encode(Image.frombytes("LAB", (3, 1), lab.tobytes()), "TIFF")
    expected = [[(255, 0, 0), (0, 255, 0), (128, 128, 128)]]
    assert np.abs(load_image(data).astype(int) - expected).max() <= 15


@pytest.mark.parametrize(
    ("file_format", "options"),
    [("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})],
)
def test_first_frame_of_several(file_format, options):
    frames = [Image.new("RGB", (5, 4), colour) for colour in ("red", "green", "blue")]
    data = encode(frames[0], file_format, save_all=True, append_images=frames[1:], **options)
    with Image.open(BytesIO(data)) as stored:
        assert stored.n_frames == 3
    assert np.array_equal(load_image(data), np.full((4, 5, 3), (255, 0, 0)))


@pytest.mark.parametrize("file_format", ["BMP", "TGA", "JPEG2000", "PPM"])
def test_other_lossless_formats(file_format):
    assert np.array_equal(load_image(encode(MARKED, file_format)), MARKED)
