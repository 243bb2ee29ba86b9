"""Transitions of a known kind, frame by frame."""

import importlib
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
BLACK, GREY = (np.full((6, 8, 3), level, np.uint8) for level in (0, 200))


@pytest.fixture(scope="module")
def script():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "scripts")
        yield importlib.import_module("known_transitions")


def levels(frames):
    return [float(frame.mean()) for frame in frames]


@pytest.mark.parametrize("kind", ["cut", "fade", "dissolve 1", "wipe"])
def test_the_shots_are_untouched_outside_the_transition(kind, script):
    frames, (only,) = script.join([[GREY] * 40, [BLACK] * 40], 10, kind, np.random.default_rng(3))
    least, most = script.KINDS[kind]
    assert least - 0.05 <= only.end - only.start <= most + 0.05
    first, last = round(only.start * 10), round(only.end * 10)
    assert len(frames) == 80 - (last - first)
    assert levels(frames[:first]) == [200] * first
    assert levels(frames[last:]) == [0] * (len(frames) - last)
    assert all(level < 200 for level in levels(frames[first : last - 1]))


def test_a_fade_goes_through_black(script):
    frames, (only,) = script.join([[GREY] * 40, [GREY] * 40], 10, "fade", np.random.default_rng(1))
    seen = levels(frames[round(only.start * 10) : round(only.end * 10)])
    darkest = int(np.argmin(seen))
    assert seen[darkest] < 60
    assert seen[: darkest + 1] == sorted(seen[: darkest + 1], reverse=True)
    assert seen[darkest:] == sorted(seen[darkest:])


def test_a_wipe_has_pixels_of_one_shot_or_the_other(script):
    directions = set()
    for seed in range(12):
        frames, (only,) = script.join(
            [[GREY] * 40, [BLACK] * 40], 10, "wipe", np.random.default_rng(seed)
        )
        during = frames[round(only.start * 10) : round(only.end * 10)]
        assert {*np.unique(during)} <= {0, 200}
        middle = during[len(during) // 2][..., 0] == 0
        directions.add(tuple(middle[[0, 0, -1, -1], [0, -1, 0, -1]].tolist()))
    assert len(directions) == 4


def test_flashes_are_short_and_apart_from_cuts(script):
    frames, cuts = script.join([[BLACK] * 100] * 3, 10, "flash", np.random.default_rng(0))
    bright = [level > 100 for level in levels(frames)]
    runs = "".join("x" if each else " " for each in bright).split()
    assert len(runs) >= 8
    assert {len(run) for run in runs} == {1, 2, 3}
    for cut in cuts:
        assert not any(bright[round(cut.start * 10) - 4 : round(cut.start * 10) + 4])
