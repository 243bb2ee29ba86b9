"""Pictures as phones and newer programs save them."""

import re
import subprocess
import sys

import numpy as np
import pillow_heif
import pytest
from pictures import encode, photo
from PIL import Image

from captioner.errors import CaptionerError
from captioner.media.image import load_image
from captioner.media.sources import open_footage, read_clips

PICTURE = photo(120, 160)


def heic(image, **options):
    return encode(image, "HEIF", quality=95, **options)


def near(found, expected, most=4):
    return np.abs(found.astype(int) - np.asarray(expected)).mean() < most


@pytest.mark.parametrize("suffix", [".heic", ".HEIF", ".jpg", ""])
def test_heic_whatever_its_name(suffix, tmp_path):
    path = tmp_path / f"IMG_1{suffix}"
    path.write_bytes(heic(PICTURE))
    assert near(load_image(path), PICTURE)
    assert open_footage(path, None) is None
    (clip,) = read_clips(str(path), (60, 80))
    assert near(clip.frames[0], PICTURE.resize((80, 60), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_heic_stands_upright(orientation):
    exif = Image.Exif()
    exif[0x112] = orientation
    found = load_image(heic(PICTURE, exif=exif.tobytes()))
    expected = load_image(encode(PICTURE, "PNG", exif=exif))
    assert found.shape == expected.shape
    assert near(found, expected)


def test_heic_with_transparency_is_laid_over_white():
    image = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    assert load_image(heic(image)).min() > 245


def test_the_main_picture_of_several_is_read(tmp_path):
    path = tmp_path / "burst.heic"
    file = pillow_heif.HeifFile()
    for colour in ("red", "lime", "blue"):
        file.add_from_pillow(Image.new("RGB", (64, 64), colour))
    file.save(path, primary_index=1)
    assert load_image(path)[32, 32].argmax() == 1


def test_avif_and_multi_picture_files():
    assert near(load_image(encode(PICTURE, "AVIF", quality=95)), PICTURE)
    several = encode(PICTURE, "MPO", save_all=True, append_images=[PICTURE.rotate(180)], quality=95)
    assert near(load_image(several), PICTURE)


def test_jpeg_xl_by_its_plugin(tmp_path):
    pytest.importorskip("pillow_jxl")
    import pillow_jxl  # noqa: F401  (which also writes)

    path = tmp_path / "a.jxl"
    path.write_bytes(encode(PICTURE, "JXL", quality=95))
    code = (
        "import sys; from captioner.media.image import load_image; "
        "print(load_image(sys.argv[1]).mean())"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert float(done.stdout) == pytest.approx(np.asarray(PICTURE).mean(), abs=2), done.stderr


def test_jpeg_xl_without_it_names_the_command(tmp_path):
    path = tmp_path / "a.jxl"
    path.write_bytes(b"\xff\x0a" + bytes(100))
    code = (
        "import sys; sys.modules['pillow_jxl'] = None; "
        "from captioner.media.image import load_image; load_image(sys.argv[1])"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert re.search(r"a\.jxl \(a JPEG XL image.*pip install 'captioner\[jxl\]'", done.stderr)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_damaged_heic_is_named(share):
    data = heic(PICTURE)
    with pytest.raises(CaptionerError, match=r"cannot read the image bytes \(.*damaged"):
        load_image(data[: int(share * len(data))])


def test_limits_hold_for_heic():
    with pytest.raises(CaptionerError, match="160 x 120 pixels, over the limit of 100"):
        load_image(heic(PICTURE), max_pixels=100)
