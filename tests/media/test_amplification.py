"""Small files that promise much: what they say is not believed, what they hold is bounded."""

import math
import struct

import numpy as np
import pytest
from films import numbered, write_film, write_packets
from memory import run_measured
from pictures import encode
from PIL import Image

from captioner.errors import CaptionerError
from captioner.media.actions import crop_to_motion, read_action
from captioner.media.clip import Clip
from captioner.media.containers import implausible_header
from captioner.media.sources import read_clips

JPEG = encode(Image.new("RGB", (160, 120), "red"), "JPEG")
READ = """
    import sys
    from functools import partial
    from captioner.media.ahead import read_ahead
    from captioner.media.sources import read_clips
    read = partial(read_clips, size=(224, 224))
    for batch in read_ahead(read, sys.argv[1:], 16):
        for reading in batch:
            print(getattr(reading.clip, "span", reading.clip))
"""


def write_gif(path, width, height, frames):
    """A GIF (version 89a) whose every frame is one pixel of a canvas of any size."""
    header = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"\x21\xf9\4\0\5\0\0\0,\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"
    path.write_bytes(header + frame * frames + b";")
    return path


def promise(path, kind, place, value):
    """Writes a 32-bit number over one of a box of an MP4 file."""
    data = bytearray(path.read_bytes())
    start = data.index(kind) + 4 + place
    data[start : start + 4] = struct.pack(">I", value)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(("width", "height"), [(65535, 65535), (13000, 13000), (4000, 3000)])
def test_a_gif_of_480_bytes(tmp_path, width, height):
    path = write_gif(tmp_path / "bomb.gif", width, height, 19)
    assert path.stat().st_size < 480
    printed, errors, peak = run_measured(READ, *[path] * 4)
    assert all("bomb.gif (" in line and "pixels" in line for line in printed.splitlines())
    assert (len(printed.splitlines()), errors) == (4, "")
    assert peak < 200


@pytest.mark.slow
def test_an_animation_of_100_000_frames(tmp_path):
    path = write_gif(tmp_path / "long.gif", 8, 8, 100_000)
    printed, _, peak = run_measured(READ, path)
    clip, error = printed.splitlines()
    assert clip.startswith("(0.0, ")
    assert "all of" in error
    assert "(more than 65536 frames of 8 x 8 pixels): convert it to MP4" in error
    assert peak < 200


def test_a_tiff_of_65_535_pages(tmp_path):
    # One page of one pixel, whose directory links to itself again and again at new places.
    entries = [(256, 3, 1, 1), (257, 3, 1, 1), (258, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 8)]
    entries += [(277, 3, 1, 1), (278, 3, 1, 1), (279, 4, 1, 1)]
    size = 2 + 12 * len(entries) + 4
    pages = [
        struct.pack("<H", len(entries))
        + b"".join(struct.pack("<HHII", *entry) for entry in entries)
        + struct.pack("<I", 12 + (page + 1) * size if page < 65_534 else 0)
        for page in range(65_535)
    ]
    path = tmp_path / "pages.tif"
    path.write_bytes(b"II*\0\x0c\0\0\0\xff\0\0\0" + b"".join(pages))
    printed, errors, peak = run_measured(READ, path, timeout=20)
    assert (printed, errors) == ("None", "")
    assert peak < 150


def test_an_mp4_that_promises_30_million_frames(tmp_path):
    path = write_film(tmp_path / "film.mp4", [numbered(0)] * 2)
    promise(path, b"stsz", 4, 100)  # bytes of every frame
    promise(path, b"stsz", 8, 30_000_000)
    promise(path, b"stts", 8, 30_000_000)
    printed, _, peak = run_measured(READ, path)
    assert (
        f"film.mp4 ({path.stat().st_size} bytes that claim to hold 30000000 frames): fetch"
        in printed
    )
    assert peak < 150


def test_a_fragment_that_promises_30_million_frames(tmp_path):
    options = {"movflags": "frag_keyframe+empty_moov"}
    path = write_film(tmp_path / "film.mp4", [numbered(0)] * 2, muxer=options)
    assert implausible_header(path) is None
    promise(path, b"trun", 4, 30_000_000)
    with pytest.raises(CaptionerError, match="bytes that claim to hold 30000000 frames"):
        list(read_clips(path, (8, 8)))


def test_long_videos_are_plausible(tmp_path):
    plain = write_film(tmp_path / "plain.mp4", [numbered(i % 9) for i in range(3000)])
    fast = {"movflags": "faststart"}
    quick = write_film(tmp_path / "quick.mov", [numbered(i % 9) for i in range(300)], muxer=fast)
    assert implausible_header(plain) is None
    assert implausible_header(quick) is None


@pytest.mark.parametrize(("suffix", "hours"), [("mkv", 1111), ("mp4", 27), ("mov", 27)])
def test_a_frame_of_1111_hours(tmp_path, suffix, hours):
    path = write_packets(tmp_path / f"film.{suffix}", [JPEG], ticks=[0], last=hours * 36_000)
    assert path.stat().st_size < 3000
    (clip,) = read_clips(path, (8, 8))
    assert clip.span == (0, pytest.approx(60))
    assert len(clip.frames) == 1


def test_a_slide_that_stays_as_long_as_others_is_believed(tmp_path):
    path = write_packets(tmp_path / "slides.mkv", [JPEG] * 3, ticks=[0, 3000, 6000], last=3000)
    (clip,) = read_clips(path, (8, 8), math.inf)
    assert clip.span == (0, pytest.approx(900, abs=0.2))


def test_times_of_a_thousand_hours(tmp_path):
    path = write_packets(tmp_path / "film.mkv", [JPEG] * 3, ticks=[0, 1, 40_000_000])
    clips = read_clips(path, (8, 8))
    assert next(clips).span[0] == 0
    with pytest.raises(CaptionerError, match=r"film\.mkv \(its times exceed 24 hours\): cut it"):
        list(clips)


def test_a_4k_video_of_an_activity(tmp_path):
    images = [np.full((2160, 3840, 3), level, np.uint8) for level in (40, 80, 120)]
    path = write_film(tmp_path / "film.mp4", images * 6, preset="ultrafast")
    read = """
        import sys
        from captioner.media.actions import read_action
        (clip,) = read_action(sys.argv[1], (224, 224), crop=1.0, trim=True)
        print(clip.frames.shape)
    """
    printed, _, peak = run_measured(read, path)
    assert printed.endswith(", 224, 224, 3)")
    assert peak < 450


def test_large_frames_are_cropped_at_twice_the_size(tmp_path):
    rows, columns = np.indices((600, 900))
    moving = [
        np.where((rows // 100 == 2) & (columns // 100 == place), 255, 60)[..., None].repeat(3, 2)
        for place in (4, 5, 6)
    ]
    clip = Clip(np.array(moving, np.uint8), np.arange(3.0))
    (cropped,) = read_action(clip, (50, 50), frames=3, crop=0.5)
    whole = crop_to_motion(clip.frames, (50, 50), 0.5)
    assert np.abs(cropped.frames.astype(int) - whole).mean() < 2
