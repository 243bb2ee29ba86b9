"""Shots of films that are made here, with transitions of every kind."""

import importlib
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from films import photos, write_film

from captioner.media.clip import Frame
from captioner.media.sampling import split_footage
from captioner.media.shots import LOOK, mark_cuts
from captioner.media.video import Video

RATE = 24
SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture(scope="module")
def join():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPTS)
        yield importlib.import_module("known_transitions").join


def moving(image, frames, share=0.15):
    """A window that passes over a picture."""
    width = round(image.shape[1] * (1 - share))
    lefts = np.linspace(0, image.shape[1] - width, frames).astype(int)
    return [np.ascontiguousarray(image[:, left : left + width]) for left in lefts]


def scenes(*seconds, names=("cat.jpg", "rocket.jpg", "coffee.jpg", "shepherd.jpg")):
    return [
        moving(image, round(RATE * length))
        for image, length in zip(photos(*names), seconds, strict=False)
    ]


def cuts_of(frames, rate=RATE):
    """The times of the cuts, on four frames a second."""
    sampled = [frames[int(k / 4 * rate)] for k in range(int(len(frames) / rate * 4))]
    marked = mark_cuts(Frame(k / 4, k / 4, image) for k, image in enumerate(sampled))
    return [frame.time for frame, cut in marked if cut][1:]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "kind", ["cut", "fade", "dissolve 0.3", "dissolve 0.5", "dissolve 1", "dissolve 2", "wipe"]
)
def test_each_transition_is_one_cut(kind, seed, join):
    frames, true = join(scenes(4, 7, 6.3, 5), RATE, kind, np.random.default_rng(seed))
    found = cuts_of(frames)
    assert len(found) == 3
    for time, (start, end) in zip(found, true, strict=True):
        assert start - 0.25 <= time <= end + 0.25


@pytest.mark.parametrize("seed", range(4))
def test_flashes_are_no_cuts(seed, join):
    frames, true = join(scenes(4, 7, 6, 5), RATE, "flash", np.random.default_rng(seed))
    assert max(frame.min() for frame in frames) > 60  # there are some
    found = cuts_of(frames)
    assert len(found) == 3
    for time, (start, _) in zip(found, true, strict=True):
        assert start <= time < start + 0.25


@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("rate", [10, 25])
def test_a_white_frame_a_second_and_one_cut_are_two_shots(length, rate, tmp_path):
    one, other = photos("cat.jpg", "rocket.jpg")
    frames = moving(one, 8 * rate) + moving(other, 8 * rate)
    for second in range(16):
        first = second * rate + rate // 2
        frames[first : first + length] = [np.full_like(frames[0], 255)] * length
    path = write_film(tmp_path / "film.mp4", [f[:, :136] for f in frames], rate=rate)
    clips = list(split_footage(Video(str(path))))
    assert len(clips) == 2
    assert clips[1].span[0] == pytest.approx(8, abs=0.2)


@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.0])
def test_a_cross_fade_of_a_file_is_a_cut(seconds, tmp_path):
    one, other = photos("cat.jpg", "rocket.jpg")
    there, here = moving(one, 200), moving(other, 200)
    length = round(25 * seconds)
    mixed = [
        (there[100 + i] * (1 - i / length) + here[i] * (i / length)).astype(np.uint8)
        for i in range(length)
    ]
    frames = there[:100] + mixed + here[length:]
    path = write_film(tmp_path / "film.mp4", frames, rate=25)
    marked = list(mark_cuts(Video(str(path)).frames(k / 4 for k in count())))
    (_, cut) = [frame.time for frame, is_cut in marked if is_cut]
    assert 4 - 0.25 <= cut <= 4 + seconds + 0.25


def faded(image, levels):
    return [(image * level).astype(np.uint8) for level in levels]


def test_a_fade_in_at_the_beginning_and_out_at_the_end_are_no_cuts():
    image = photos("coffee.jpg")[0]
    levels = [*np.linspace(0, 1, 36), *[1] * 48, *np.linspace(1, 0, 36)]
    assert cuts_of(faded(image, levels)) == []


def test_a_scene_that_dips_to_black_and_comes_back_is_one_shot():
    image = photos("coffee.jpg")[0]
    levels = [*[1] * 72, *np.linspace(1, 0, 18), *np.linspace(0, 1, 18), *[1] * 72]
    assert cuts_of(faded(image, levels)) == []


@pytest.mark.parametrize("held", [0, 1, 4])
def test_a_fade_that_stays_black_is_one_cut(held):
    one, other = photos("cat.jpg", "coffee.jpg")
    fall, rise = np.linspace(1, 0, 18), np.linspace(0, 1, 18)
    black = [np.zeros_like(one)] * round(held * RATE)
    frames = [one] * 72 + faded(one, fall) + black + faded(other, rise) + [other] * 72
    (cut,) = cuts_of(frames)
    assert 3.5 <= cut <= 4.75 + held


def test_light_that_changes_is_no_cut():
    image = photos("coffee.jpg")[0]
    levels = [*[0.4] * 72, *np.linspace(0.4, 1, 18), *[1] * 72, *[0.5] * 48]
    assert cuts_of(faded(image, levels[:162])) == []


def test_a_decision_depends_on_the_frames_around_it_alone():
    """Parts of a film have the cuts of the film, as long as `LOOK` frames before them are known."""
    random = np.random.default_rng(0)
    levels = np.cumsum(random.normal(0, 12, (240, 8, 8, 3)), 0)
    levels += 90 * (random.random((240, 1, 1, 1)) < 0.15).cumsum(0)
    images = (np.abs(levels) % 255).astype(np.uint8)
    whole = [cut for _, cut in mark_cuts(Frame(i / 4, i / 4, x) for i, x in enumerate(images))]
    assert sum(whole) > 10
    for first in range(LOOK, 160, 7):
        later = range(first - LOOK, 240)
        part = [cut for _, cut in mark_cuts(Frame(i / 4, i / 4, images[i]) for i in later)]
        assert part[LOOK:] == whole[first:]
        some = list(range(first))
        seen = [cut for _, cut in mark_cuts(Frame(i / 4, i / 4, images[i]) for i in some)]
        assert seen[:-LOOK] == whole[: first - LOOK]
