import numpy as np
import pytest
from films import number_of, numbered, write_film

from captioner.media.actions import motion_span, read_action


@pytest.mark.parametrize(("start", "end"), [(0, 12), (5, 9), (3, 20)])
def test_finds_where_a_square_moves_in_spite_of_noise(start, end):
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 4, (20, 40, 120, 3), dtype=np.uint8)
    for number in range(20):
        x = min(max(number - start, 0), end - 1 - start)
        frames[number, 10:26, 2 + 5 * x : 14 + 5 * x] += 200
    first, behind = motion_span(frames)
    # A twentieth of the movement may be missing at either end.
    assert abs(first - start) <= 2
    assert abs(behind - end) <= 2


def test_a_still_clip_and_a_picture_are_kept_whole():
    assert motion_span(np.full((5, 8, 8, 3), 7, np.uint8)) == (0, 5)
    assert motion_span(np.full((1, 8, 8, 3), 7, np.uint8)) == (0, 1)


def test_frames_are_of_the_part_that_moves(tmp_path):
    rest, action = [numbered(0)] * 12, [numbered(n) for n in range(1, 9)]
    film = write_film(tmp_path / "film.mp4", rest + action + [numbered(9)] * 12)
    (clip,) = read_action(film, (64, 160), frames=8, trim=True)
    assert len({number_of(frame) for frame in clip.frames}) == 8
