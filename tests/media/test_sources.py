import math

import numpy as np
import pytest
from films import numbered, photos, write_film
from PIL import Image

from captioner.errors import CaptionerError
from captioner.media.clip import Clip
from captioner.media.image import load_image
from captioner.media.sources import read_clips

SIZE = (60, 80)
COLOURS = [(255, 0, 0), (0, 200, 0), (0, 0, 255)]


def animate(path, **options):
    frames = [Image.new("RGB", (160, 120), colour) for colour in COLOURS]
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    return path


def test_a_picture_is_a_clip_of_one_frame(tmp_path):
    image = photos("cat.jpg")[0]
    path = tmp_path / "cat.png"
    Image.fromarray(image).save(path)
    for source in (path, str(path), path.read_bytes(), image, Image.fromarray(image)):
        (clip,) = read_clips(source, SIZE)
        assert (clip.frames == load_image(image, size=SIZE)).all()
        assert (clip.frames.shape, clip.times.tolist(), clip.span) == ((1, *SIZE, 3), [0], None)


@pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
def test_animations_are_films(tmp_path, suffix):
    lossless = {"lossless": True} if suffix == "webp" else {}
    path = animate(tmp_path / f"film.{suffix}", duration=[500, 1000, 700], **lossless)
    (clip,) = read_clips(path, SIZE, every=math.inf)
    assert clip.span == (0, pytest.approx(2.2))
    assert clip.times == pytest.approx([0, 0.5, 1.5])
    assert clip.frames[:, 5, 5].tolist() == [list(colour) for colour in COLOURS]
    assert [shot.span for shot in read_clips(path, SIZE)] == [
        pytest.approx(span) for span in ((0, 0.5), (0.5, 1.5), (1.5, 2.2))
    ]


def test_an_animation_of_unstated_times_and_one_that_breaks_off(tmp_path):
    path = animate(tmp_path / "film.gif", duration=0)
    assert [clip.span for clip in read_clips(path, SIZE, every=math.inf)] == [
        (0, pytest.approx(0.3))
    ]
    still = tmp_path / "still.gif"
    Image.new("RGB", (9, 9), "red").save(still)
    assert next(read_clips(still, SIZE)).span is None


def test_what_a_file_is_its_content_tells(tmp_path):
    film = write_film(tmp_path / "film.mp4", [numbered(i) for i in range(30)])
    renamed = film.rename(tmp_path / "film.jpg")
    assert next(read_clips(renamed, SIZE, math.inf)).span == (0, 3)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"Dear diary, today I saw a dog.\n" * 99, "not an image"),
        ("a.mp4", b"Dear diary, today I saw a dog.\n" * 99, "video"),
        ("a.pdf", b"%PDF-1.7", "a PDF document"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "damaged|not an image"),
        ("a.mov", b"\0\0\0\x18ftypqt  \0\0\0\0qt  ", "not a video"),
        ("a.bin", b"\0\0\0\x18ftypisom\0\0\0\0isomavc1", "not a video"),
        ("a.mkv", b"", "empty"),
    ],
)
def test_what_is_neither_is_named(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CaptionerError, match=reason) as caught:
        list(read_clips(tmp_path / name, SIZE))
    assert str(tmp_path / name) in str(caught.value)


def test_a_clip_is_resized():
    frames = np.stack([numbered(i) for i in range(3)])
    (clip,) = read_clips(Clip(frames, np.arange(3.0), (0.0, 3.0)), SIZE)
    assert (clip.frames.shape, clip.span) == ((3, *SIZE, 3), (0.0, 3.0))
