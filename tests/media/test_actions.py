import numpy as np
import pytest
from films import number_of, numbered, write_film
from PIL import Image

from captioner.errors import CaptionerError
from captioner.media.actions import crop_to_motion, read_action
from captioner.media.clip import Clip
from captioner.media.files import find_clips

SIZE = (64, 160)


def numbers(source, **options):
    (clip,) = read_action(source, SIZE, **options)
    assert clip.frames.shape[1:] == (*SIZE, 3)
    assert len(clip.times) == len(clip.frames)
    return [number_of(frame) for frame in clip.frames]


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    return write_film(path, [numbered(n) for n in range(20)])


@pytest.fixture
def frames(tmp_path):
    for number in range(20):
        Image.fromarray(numbered(number)).save(tmp_path / f"{number}.png")
    return tmp_path


@pytest.mark.parametrize("kind", ["film", "frames"])
def test_frames_are_the_middles_of_equal_parts(kind, request):
    source = request.getfixturevalue(kind)
    assert numbers(source, frames=4) == [2, 7, 12, 17]
    assert numbers(source, frames=20) == list(range(20))
    assert numbers(source, frames=50) == list(range(20))


def test_an_animation_and_a_clip_are_read_alike(tmp_path):
    pictures = [numbered(n) for n in range(20)]
    first, *others = map(Image.fromarray, pictures)
    first.save(tmp_path / "a.gif", save_all=True, append_images=others, duration=100)
    clip = Clip(np.stack(pictures), np.arange(20.0))
    assert numbers(clip, frames=4) == [2, 7, 12, 17]
    assert numbers(tmp_path / "a.gif", frames=10) == numbers(clip, frames=10)
    # Of a long one whose length is not known, frames are thinned out as they come.
    np.testing.assert_allclose(numbers(tmp_path / "a.gif", frames=4), [2, 7, 12, 17], atol=1)


def test_a_picture_is_a_clip_of_one_frame():
    assert numbers(numbered(5)) == [5]


def test_frames_of_different_sizes_are_no_clip(tmp_path):
    for number, side in enumerate((8, 9)):
        Image.new("RGB", (side, side)).save(tmp_path / f"{number}.png")
    with pytest.raises(CaptionerError, match="images of different sizes"):
        list(read_action(tmp_path, SIZE, crop=1.0))


def test_a_broken_frame_is_named(frames):
    (frames / "2.png").write_bytes(b"")
    with pytest.raises(CaptionerError, match=r"2\.png"):
        list(read_action(frames, SIZE, frames=4))


@pytest.mark.parametrize("place", [(30, 40), (60, 150), (5, 5)])
def test_crop_follows_what_moves_and_stays_within_the_frame(place):
    rng = np.random.default_rng(0)
    still = rng.integers(0, 200, (90, 200, 1)).repeat(3, -1)
    frames = np.stack([still + rng.integers(0, 3, still.shape) for _ in range(6)]).astype(np.uint8)
    frames[2, place[0] : place[0] + 9, place[1] : place[1] + 9] = 255
    cropped = crop_to_motion(frames, (45, 45), share=0.5)
    top = min(max(place[0] + 4.5 - 22.5, 0), 45)
    left = min(max(place[1] + 4.5 - 22.5, 0), 155)
    offset = min(
        (
            np.abs(cropped.astype(int) - frames[:, y : y + 45, x : x + 45]).mean(),
            abs(y - top) + abs(x - left),
        )
        for y in range(46)
        for x in range(156)
    )
    assert offset[1] <= 3


def test_crop_of_a_still_clip_is_its_middle():
    frames = np.zeros((3, 10, 30, 3), np.uint8)
    frames[:, :, 10:20] = 9
    np.testing.assert_array_equal(crop_to_motion(frames, (10, 10)), np.full((3, 10, 10, 3), 9))


def test_folders_of_frames_are_clips_and_other_folders_are_searched(frames, film):
    folder = frames.parent / "all"
    (folder / "inner").mkdir(parents=True)
    (frames).rename(folder / "inner" / "frames")
    (folder / "film.mp4").write_bytes(film.read_bytes())
    found = list(find_clips([folder], recursive=True))
    assert found == [str(folder / "film.mp4"), str(folder / "inner" / "frames")]
    assert list(find_clips([folder])) == [str(folder / "film.mp4")]
    assert list(find_clips([folder / "inner" / "frames", "absent"])) == [found[1], "absent"]
