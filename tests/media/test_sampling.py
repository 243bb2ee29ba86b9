import math

import numpy as np
import pytest
from films import number_of, numbered, photos, write_film

from captioner.errors import CaptionerError
from captioner.media.clip import Frame
from captioner.media.sampling import FRAMES, split_footage
from captioner.media.video import Video


class Slides:
    """Footage of frames that each stay for some time; `break_at` is when the file breaks off."""

    def __init__(self, seconds, total, duration=None, break_at=math.inf):
        self.seconds, self.total, self.duration, self.break_at = seconds, total, duration, break_at
        self.end = 0.0

    def frames(self, times):
        for asked in times:
            if asked >= self.break_at:
                raise CaptionerError("broken")
            self.end = min((asked // self.seconds + 1) * self.seconds, self.total)
            if asked >= self.total:
                return
            number = int(asked / self.seconds + 1e-9)
            yield Frame(asked, number * self.seconds, numbered(number))

    def close(self):
        pass


@pytest.mark.parametrize("total", [0.1, 3.0, 4.0, 100.0, 1000.0])
@pytest.mark.parametrize("known", [False, True])
def test_one_clip_of_the_whole(total, known):
    (clip,) = split_footage(Slides(0.1, total, duration=total if known else None), math.inf)
    assert clip.span == (0, pytest.approx(total))
    assert len(clip.frames) == len(set(clip.times)) == min(FRAMES, max(1, math.ceil(total * 4)))
    distances = np.diff(clip.times)
    if len(clip.frames) == FRAMES:
        assert distances.max() <= 2.1 * distances.min()
        assert clip.times[-1] > 0.8 * total


@pytest.mark.parametrize("most", [1, 3, 8])
@pytest.mark.parametrize("known", [False, True])
def test_fewer_frames_can_be_asked_for(most, known):
    for every in (math.inf, None, 5.0):
        footage = Slides(0.1, 10.0, duration=10.0 if known else None)
        clips = list(split_footage(footage, every, most))
        assert max(len(clip.frames) for clip in clips) == most


@pytest.mark.parametrize(("every", "frames"), [(0.5, 2), (2.0, 8), (7.0, 16)])
def test_windows(every, frames):
    clips = list(split_footage(Slides(0.05, 10.0), every))
    starts = np.arange(0, 10, every)
    assert [clip.span for clip in clips] == [
        pytest.approx((start, min(start + every, 10))) for start in starts
    ]
    assert {len(clip.frames) for clip in clips[:-1]} == {frames}
    for clip in clips:
        assert clip.span[0] - 0.05 <= clip.times[0]
        assert clip.times[-1] < clip.span[1]


def test_a_frame_that_stays_is_in_every_window_once():
    clips = list(split_footage(Slides(5.0, 10.0), 2.0))
    shown = [[number_of(image) for image in clip.frames] for clip in clips]
    assert shown == [[0], [0], [0, 1], [1], [1]]


def test_clips_before_a_break_are_kept():
    clips = split_footage(Slides(0.1, 10.0, break_at=5.0), 2.0)
    spans = [next(clips).span for _ in range(3)]
    assert spans == [(0, 2), (2, 4), (4, pytest.approx(4.8))]
    with pytest.raises(CaptionerError, match="broken"):
        next(clips)


@pytest.mark.parametrize("break_at", [0.2, 0.4, 0.6, 3.1])
@pytest.mark.parametrize("every", [None, math.inf])
def test_no_frame_before_a_break_is_lost(break_at, every):
    times = []
    with pytest.raises(CaptionerError, match="broken"):
        for clip in split_footage(Slides(0.1, 10.0, break_at=break_at), every):
            times += clip.times.tolist()
    assert times == pytest.approx(np.arange(0, break_at, 0.25).tolist(), abs=0.1)


def test_shots_of_a_film(tmp_path):
    cat, rocket = photos("cat.jpg", "rocket.jpg")
    path = write_film(tmp_path / "film.mp4", [cat] * 60 + [rocket] * 200)
    clips = list(split_footage(Video(str(path))))
    assert [clip.span for clip in clips] == [(0, 6), (6, 26)]
    assert [len(clip.frames) for clip in clips] == [FRAMES, FRAMES]
    for clip, image in zip(clips, (cat, rocket), strict=True):
        assert np.abs(clip.frames - image.astype(int)).mean() < 8
