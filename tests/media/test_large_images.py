import struct
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from time import sleep

import numpy as np
import pytest
from memory import run_measured
from pictures import encode, photo
from PIL import Image

from captioner.errors import CaptionerError
from captioner.media.budget import MemoryBudget
from captioner.media.image import load_image
from captioner.media.pixels import resize_rgb

READ = """
    import sys
    from functools import partial
    from captioner.media.ahead import read_ahead
    from captioner.media.sources import read_clips
    read = partial(read_clips, size=(224, 224))
    for batch in read_ahead(read, sys.argv[1:], 16):
        for reading in batch:
            print(getattr(getattr(reading.clip, "frames", None), "shape", reading.clip))
"""


def write_bmp(path, width, height):
    """A black BMP whose pixels are a hole in the file."""
    row = (width * 3 + 3) // 4 * 4
    header = struct.pack("<2sIHHI", b"BM", 54 + row * height, 0, 0, 54)
    path.write_bytes(header + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, *[0] * 6))
    with path.open("r+b") as file:
        file.truncate(54 + row * height)
    return path


def test_five_images_of_168_megapixels(tmp_path):
    path = write_bmp(tmp_path / "large.bmp", 13_000, 12_960)
    printed, errors, peak = run_measured(READ, *[path] * 5)
    assert printed.splitlines() == ["(1, 224, 224, 3)"] * 5
    assert errors == ""  # Pillow's DecompressionBombWarning, for one
    assert peak < 1000


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_large_jpegs(tmp_path, options):
    path = tmp_path / "large.jpg"
    Image.new("RGB", (13_000, 12_960), "red").save(path, **options)
    printed, errors, peak = run_measured(READ, *[path] * 5)
    assert (printed.splitlines(), errors) == (["(1, 224, 224, 3)"] * 5, "")
    assert peak < (1400 if options else 200)


@pytest.mark.slow
def test_a_large_tiff_of_one_strip(tmp_path):
    path = tmp_path / "large.tif"
    strip = {"compression": "tiff_adobe_deflate", "tiffinfo": {278: 12_960}}  # rows of a strip
    Image.new("RGB", (13_000, 12_960), "red").save(path, **strip)
    printed, errors, peak = run_measured(READ, *[path] * 2)
    assert (printed.splitlines(), errors) == (["(1, 224, 224, 3)"] * 2, "")
    assert peak < 1400


@pytest.mark.parametrize(("width", "height"), [(1, 60_000_000), (8_000_000, 1)])
def test_thin_images(tmp_path, width, height):
    # Pillow's filter alone would make an image of 224 x 60,000,000 pixels in between.
    path = tmp_path / "thin.ppm"
    path.write_bytes(f"P5 {width} {height} 255\n".encode())
    with path.open("r+b") as file:
        file.truncate(file.seek(0, 2) + width * height)
    printed, _, peak = run_measured(READ, path)
    assert printed == "(1, 224, 224, 3)"
    assert peak < 600


def test_what_a_decoder_cannot_hold_is_refused():
    webp = encode(Image.new("L", (8, 8)), "WEBP", lossless=True)
    # The canvas of a VP8L frame: 14 bits of width and of height, less one, after the signature.
    place = webp.index(b"VP8L") + 9
    large = struct.pack(
        "<I", struct.unpack_from("<I", webp, place)[0] >> 28 << 28 | 11999 << 14 | 11999
    )
    with pytest.raises(
        CaptionerError, match=r"decoding needs .* MiB, over the limit of \d+\): make it"
    ):
        load_image(webp[:place] + large + webp[place + 4 :], size=(224, 224))


def test_tiles_give_what_the_filter_gives():
    image = photo(400, 600).resize((6017, 4003), Image.Resampling.BICUBIC)
    expected = np.asarray(image.resize((224, 224), Image.Resampling.BICUBIC)).astype(int)
    for source in (image, encode(image, "BMP"), np.asarray(image)):
        difference = np.abs(load_image(source, size=(224, 224)) - expected)
        assert difference.mean() < 0.5
        assert difference.max() <= 6


def test_tiles_keep_places_modes_and_transparency():
    levels = np.zeros((4000, 6000), np.uint8)
    levels[1000:2000, 3000:] = 255
    small = np.asarray(resize_rgb(Image.fromarray(levels), (4, 2), "x"))[..., 0]
    exact = np.asarray(Image.fromarray(levels).resize((2, 4), Image.Resampling.BICUBIC))
    assert np.abs(small.astype(int) - exact).max() <= 3
    wide = load_image(levels.astype(np.uint16) * 257, size=(4, 2))[..., 0]
    assert np.abs(wide.astype(int) - exact).max() <= 3
    rgba = Image.new("RGBA", (6000, 4000), (0, 0, 0, 0))
    rgba.paste((255, 0, 0, 255), (0, 0, 3000, 4000))
    halves = load_image(encode(rgba, "PNG", compress_level=1), size=(2, 2))
    assert halves[:, 0, 1].max() < 40
    assert halves[:, 1, 1].min() > 215


@pytest.mark.parametrize("orientation", range(1, 9))
def test_tiles_are_upright(orientation):
    image = Image.new("RGB", (6000, 4000))
    image.paste("red", (0, 0, 3000, 2000))
    exif = Image.Exif()
    exif[0x112] = orientation
    data = encode(image, "TIFF", exif=exif)
    with Image.open(BytesIO(data)) as opened:
        assert opened.getexif()[0x112] == orientation
    corner = load_image(data, size=(6, 6))[..., 0] > 128
    # EXIF 2.32: which corner the first row and column are at.
    place = {1: (0, 0), 2: (0, 1), 3: (1, 1), 4: (1, 0), 5: (0, 0), 6: (0, 1), 7: (1, 1), 8: (1, 0)}
    row, column = place[orientation]
    expected = np.zeros((6, 6), bool)
    expected[3 * row : 3 * row + 3, 3 * column : 3 * column + 3] = True
    assert (corner == expected).all()


def test_a_budget_is_never_exceeded():
    budget = MemoryBudget(100)
    least = []

    def hold(amount):
        with budget.reserve(amount):
            least.append(budget.free)
            sleep(0.001)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hold, [30, 50, 90, 10, 400, 60] * 10))
    assert min(least) == 0
    assert budget.free == 100
