import numpy as np
import pytest
from pictures import encode, photo
from PIL import Image
from raw_files import dng

from captioner.errors import CaptionerError
from captioner.media.image import load_image
from captioner.media.sources import open_footage, read_clips

THUMBNAIL = np.full((120, 160, 3), 90, np.uint8)
PREVIEW = photo(480, 640)
SMALL = encode(photo(120, 160), "JPEG")


def red_sensor(height=600, width=800):
    sensor = np.full((height, width), 2000, np.uint16)
    sensor[::2, ::2] = 40_000
    return sensor


@pytest.mark.parametrize("suffix", [".dng", ".NEF", ".arw", ".tif", ""])
def test_the_largest_preview_is_the_picture(suffix, tmp_path):
    path = tmp_path / f"DSC_1{suffix}"
    path.write_bytes(dng(THUMBNAIL, SMALL + encode(PREVIEW, "JPEG", quality=95) + SMALL))
    found = load_image(path)
    assert found.shape == (480, 640, 3)
    assert np.abs(found.astype(int) - np.asarray(PREVIEW)).mean() < 3
    np.testing.assert_array_equal(load_image(path.read_bytes()), found)
    assert open_footage(path, None) is None
    (clip,) = read_clips(str(path), (224, 224))
    assert clip.frames.shape == (1, 224, 224, 3)


@pytest.mark.parametrize("magic", [b"II*\0", b"IIRO", b"IIU\0"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_it_stands_upright(magic, orientation):
    data = dng(THUMBNAIL, encode(PREVIEW, "JPEG"), orientation=orientation, magic=magic)
    exif = Image.Exif()
    exif[0x112] = orientation
    expected = load_image(encode(PREVIEW, "JPEG", exif=exif))
    np.testing.assert_array_equal(load_image(data), expected)
    # The preview's own orientation goes before that of the file around it.
    own = dng(THUMBNAIL, encode(PREVIEW, "JPEG", exif=exif), orientation=1, magic=magic)
    np.testing.assert_array_equal(load_image(own), expected)


def test_canon_keeps_the_orientation_in_a_box(tmp_path):
    box = dng(THUMBNAIL, orientation=8)
    data = b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + b"\0\0\x30\0CMT1" + box
    found = load_image(data + encode(PREVIEW, "JPEG"))
    assert found.shape == (640, 480, 3)
    path = tmp_path / "IMG_1.CR3"
    path.write_bytes(data + encode(PREVIEW, "JPEG"))
    (clip,) = read_clips(str(path), (640, 480))  # no video, though the container is that of MP4
    np.testing.assert_array_equal(clip.frames[0], found)


@pytest.mark.parametrize(("rows", "columns"), [(300, 800), (600, 400), (0, 0)])
def test_a_sensor_that_was_cut_off_is_no_black_picture(rows, columns, tmp_path):
    pytest.importorskip("rawpy")
    sensor = red_sensor()
    sensor[rows:] = sensor[:, columns:] = 0
    with pytest.raises(CaptionerError, match="missing pixels"):
        load_image(dng(THUMBNAIL, b"", sensor))
    sensor = red_sensor()
    sensor[500:] = 0  # a sixth
    assert load_image(dng(THUMBNAIL, b"", sensor)).shape == (300, 400, 3)


def test_without_a_preview_the_sensor_is_developed():
    pytest.importorskip("rawpy")
    for preview in (b"", SMALL):
        found = load_image(dng(THUMBNAIL, preview, red_sensor(), orientation=6))
        assert found.shape == (400, 300, 3)
        assert found[..., 0].min() > 200 and found[..., 1].max() < 60


@pytest.mark.parametrize(("preview", "reason"), [(SMALL, "160 x 120 pixels"), (b"", "without a")])
def test_a_thumbnail_is_never_the_picture(preview, reason, tmp_path, monkeypatch):
    monkeypatch.setattr("captioner.media.raw.find_spec", lambda name: None)
    path = tmp_path / "DSC_1.NEF"
    path.write_bytes(dng(THUMBNAIL, preview, red_sensor()))
    error = rf"cannot read .*DSC_1.* .*{reason}.*pip install 'captioner\[raw\]'"
    with pytest.raises(CaptionerError, match=error):
        load_image(path)
    with pytest.raises(CaptionerError, match=error):
        load_image(path.rename(tmp_path / "DSC_1.tif"))


@pytest.mark.parametrize("content", [b"", b"no camera", dng(THUMBNAIL)[:200], b"FUJIFILMCCD-RAW"])
def test_what_is_damaged_is_named(content, tmp_path):
    path = tmp_path / "a.raf"
    path.write_bytes(content)
    with pytest.raises(CaptionerError, match=r"cannot read .*a\.raf \(.*\): "):
        load_image(path)


def test_an_ordinary_tiff_stays_one():
    picture = photo(60, 90)
    np.testing.assert_array_equal(load_image(encode(picture, "TIFF")), np.asarray(picture))
