"""Parts of a film give, one after another, what the film gives."""

import math
from itertools import pairwise

import numpy as np
import pytest
from films import numbered, photos, write_film
from hypothesis import given, settings
from hypothesis import strategies as st

from captioner.errors import CaptionerError
from captioner.media.clip import Frame
from captioner.media.sampling import split_footage
from captioner.media.sources import read_clips
from captioner.media.video_range import NoClipError, VideoRange

NOISE = np.random.default_rng(0).integers(-30, 31, (50, 8, 8, 3))


class Scenes:
    """Footage of scenes of (seconds, brightness), with noise, whose frames stay `step` seconds."""

    name, duration = "scenes", None

    def __init__(self, scenes, step=0.1):
        self.ends = np.cumsum([seconds for seconds, _ in scenes])
        self.levels = [level for _, level in scenes]
        self.step, self.end = step, 0.0

    def frames(self, times):
        for asked in times:
            self.end = min((asked // self.step + 1) * self.step, float(self.ends[-1]))
            if asked >= self.ends[-1]:
                return
            number = int(asked / self.step + 1e-9)
            scene = int(np.searchsorted(self.ends, number * self.step, side="right"))
            noise = NOISE[number % len(NOISE)]
            level = self.levels[min(scene, len(self.levels) - 1)]
            yield Frame(asked, number * self.step, np.clip(level + noise, 0, 255).astype(np.uint8))


def told(clips):
    return [(clip.span, clip.times.tolist(), clip.frames.tobytes()) for clip in clips]


scenes = st.lists(st.tuples(st.floats(0.1, 12), st.integers(0, 255)), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    scenes,
    st.lists(st.integers(1, 200), max_size=4, unique=True),
    st.sampled_from([0.04, 0.1, 0.7, 3.0]),
    st.sampled_from([None, 0.5, 3.0, 7.3]),
)
def test_parts_of_any_film_are_the_film(scenes, seams, step, every):
    whole = told(split_footage(Scenes(scenes, step), every))
    parts = []
    for steps in pairwise([0, *sorted(seams), math.inf]):
        parts += told(split_footage(Scenes(scenes, step), every, steps=steps))
    assert parts == whole


class Grey:
    """Footage of grey frames, four a second, of these levels."""

    name, duration, end = "grey", None, 0.0

    def __init__(self, levels):
        self.levels = levels

    def frames(self, times):
        for asked in times:
            number = int(asked * 4)
            self.end = min(number + 1, len(self.levels)) / 4
            if number >= len(self.levels):
                return
            yield Frame(asked, number / 4, np.full((8, 8, 3), self.levels[number], np.uint8))


@pytest.mark.parametrize("seed", range(25))
def test_parts_of_a_restless_film_are_the_film(seed):
    """Whether a change is a cut depends on the changes around it: at seams, too.

    With three frames before a part, in place of the four that tell a cut, 16 of these 25 fail.
    """
    rng = np.random.default_rng(seed)
    changes = np.where(rng.random(24) < 0.3, rng.integers(16, 60, 24), rng.integers(0, 24, 24))
    levels = [128]
    for change in changes:
        levels.append(levels[-1] + int(change) * (1 if levels[-1] < 128 else -1))
    whole = told(split_footage(Grey(levels)))
    for seam in range(1, len(levels)):
        parts = told(split_footage(Grey(levels), steps=(0, seam)))
        parts += told(split_footage(Grey(levels), steps=(seam, math.inf)))
        assert parts == whole


@pytest.mark.parametrize("every", [None, 2.0])
@pytest.mark.parametrize("gop", [12, 250])
def test_parts_of_a_file_are_the_file(tmp_path, every, gop):
    pictures = photos("cat.jpg", "rocket.jpg", "dog.jpg", "coffee.jpg")
    rng = np.random.default_rng(gop)
    frames, ticks, time = [], [], 0
    for scene in range(14):  # of a variable frame rate
        for _ in range(int(rng.integers(8, 60))):
            frames.append(pictures[scene % 4])
            ticks.append(time)
            time += int(rng.choice([1, 1, 1, 2, 7]))
    path = str(write_film(tmp_path / "film.mp4", frames, ticks=ticks, gop=gop))
    whole = told(read_clips(path, (8, 8), every))
    assert len(whole) >= 14
    seams = [0, *range(20, 4 * time // 10, 37)] if every is None else [0, 3, 4, 11, 20]
    parts = []
    for first, stop in pairwise([*seams, math.inf]):
        try:
            parts += told(read_clips(VideoRange(path, first, stop), (8, 8), every))
        except NoClipError:
            continue
    assert parts == whole


def test_a_part_without_a_beginning_says_so(tmp_path):
    path = str(write_film(tmp_path / "film.mp4", [numbered(3)] * 100))
    with pytest.raises(NoClipError, match=r"film\.mp4"):
        list(read_clips(VideoRange(path, 8, 16), (8, 8)))


def test_a_missing_film_is_an_error_of_its_own():
    with pytest.raises(CaptionerError, match="no such file") as error:
        list(read_clips(VideoRange("missing.mp4", 8, 16), (8, 8)))
    assert not isinstance(error.value, NoClipError)
