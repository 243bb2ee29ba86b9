from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import encode, photo
from PIL import Image

from captioner.errors import CaptionerError
from captioner.media.cut_short import read_cut_short
from captioner.media.sources import read_clips

PICTURE = photo(400, 300)
FILES = {
    "baseline": encode(PICTURE, "JPEG", quality=90),
    "grey": encode(PICTURE.convert("L"), "JPEG", quality=90),
    "png": encode(PICTURE, "PNG"),
    "palette": encode(PICTURE.quantize(16), "PNG", bits=4),
    "deep": encode(np.arange(90_000, dtype=np.uint16).reshape(300, 300) % 60_000, "PNG"),
}


def decode(data):
    with Image.open(BytesIO(data)) as image:
        return np.asarray(image)


@pytest.mark.parametrize("name", FILES)
@settings(deadline=None, max_examples=30)
@given(share=st.floats(0, 1, exclude_max=True))
def test_the_rows_are_those_of_the_whole_file(name, share):
    whole = decode(FILES[name])
    part = read_cut_short(FILES[name][: int(share * len(FILES[name]))], 10**6)
    if part is None:
        # Rows of a photo do not all take equally many bytes.
        assert share < 0.9
        return
    rows = np.asarray(part)
    assert len(rows) >= 0.75 * len(whole)
    # Half of the last blocks may be missing, and the line above has colours of theirs.
    certain = len(rows) if name not in ("baseline", "grey") else len(rows) // 16 * 16 - 18
    np.testing.assert_array_equal(rows[:certain], whole[:certain])


def test_a_progressive_file_is_coarse_but_whole():
    data = encode(PICTURE, "JPEG", quality=90, progressive=True)
    part = np.asarray(read_cut_short(data[: int(0.6 * len(data))], 10**6))
    assert part.shape == (400, 300, 3)
    assert np.abs(part.astype(int) - np.asarray(PICTURE)).mean() < 6


def cut(tmp_path, missing=1500, **options):
    path = tmp_path / "cut.jpg"
    path.write_bytes(encode(PICTURE, "JPEG", **options)[:-missing])
    return str(path)


def test_readers_are_told(tmp_path):
    path = cut(tmp_path)
    for source in (path, Path(path).read_bytes()):
        (clip,) = read_clips(source, (64, 64), cut_short=True)
        assert clip.partial
        expected = np.asarray(PICTURE.resize((64, 64), Image.Resampling.BICUBIC)).astype(int)
        # Of the upper part, which is stretched a little more.
        assert np.abs(clip.frames[0] - expected).mean() < 25
        with pytest.raises(CaptionerError, match="damaged"):
            next(read_clips(source, (64, 64)))
    (whole,) = read_clips(encode(PICTURE, "JPEG"), (64, 64), cut_short=True)
    assert not whole.partial


def test_orientation_and_profile_hold_for_a_part(tmp_path):
    exif = Image.Exif()
    exif[0x112] = 6
    (turned,) = read_clips(cut(tmp_path, exif=exif), (64, 64), cut_short=True)
    (plain,) = read_clips(cut(tmp_path), (64, 64), cut_short=True)
    np.testing.assert_array_equal(turned.frames[0], np.rot90(plain.frames[0], -1))


@pytest.mark.parametrize("share", [0.5, 0.9, 1.0])
def test_what_is_mostly_gone_stays_an_error(tmp_path, share):
    missing = int(share * len(encode(PICTURE, "JPEG")))
    with pytest.raises(CaptionerError, match="cannot read"):
        next(read_clips(cut(tmp_path, missing), (64, 64), cut_short=True))


def test_damage_in_the_middle_is_no_cut():
    data = bytearray(FILES["png"])
    data[len(data) // 2] ^= 255
    assert read_cut_short(bytes(data), 10**6) is None


def test_limits_hold():
    data = FILES["baseline"][:-500]
    assert read_cut_short(data, 300 * 400 - 1) is None
    assert read_cut_short(data, 300 * 400) is not None
    assert read_cut_short(FILES["png"][:-500], 300 * 400 - 1) is None
