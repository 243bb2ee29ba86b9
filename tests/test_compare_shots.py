"""The cuts of films with known cuts, found by the script that compares detectors."""

import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "data" / "samples"


@pytest.fixture(scope="module")
def script():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "scripts")
        yield importlib.import_module("compare_shots")


@pytest.mark.slow
def test_scores_beside_a_detector_that_invents_a_cut(script, monkeypatch, tmp_path):
    for picture in SAMPLES.glob("*.jpg"):
        (tmp_path / picture.name).symlink_to(picture)
    invented = lambda film: [*script.ours(film), 0.1]  # noqa: E731
    monkeypatch.setattr(script, "peers", lambda: iter([("invented", invented)]))
    result = CliRunner().invoke(
        script.main,
        [str(tmp_path), "--films=2", "--shots=3", "--seed=1", "--kind=cut", "--kind=wipe"],
    )
    assert result.exit_code == 0, result.output
    assert "2 videos of each kind, 4 transitions" in result.output
    assert re.search(r"\| captioner +\| +100\.0 \(100/100\) \|", result.output)
    assert re.search(r"\| invented +\| +80\.0 \(100/67\) \|", result.output)


def test_the_film_has_its_cuts_where_the_shots_meet(script, tmp_path):
    clip = SAMPLES / "shepherd_and_cat.mp4"  # it has a cut of its own
    pictures = [SAMPLES / "coffee.jpg", clip]
    cuts = script.write_film(tmp_path / "film.mp4", pictures, np.random.default_rng(0))
    assert len(cuts) == 1 and 1 <= cuts[0].start == cuts[0].end <= 6
    found = script.ours(tmp_path / "film.mp4")
    assert script.matched(found, cuts) == 1


@given(st.lists(st.integers(0, 40), unique=True), st.lists(st.integers(0, 40), unique=True))
def test_a_cut_is_matched_once(script, found, true):
    # Cuts a second apart are near to no other, so that matches are what both have.
    cuts = [script.Transition(float(x), float(x)) for x in true]
    assert script.matched([float(x) for x in found], cuts) == len(set(found) & set(true))


def test_a_time_within_a_transition_is_right_once(script):
    true = [script.Transition(2.0, 4.0), script.Transition(6.0, 6.0)]
    assert script.matched([2.2, 3.9, 6.3], true) == 2
    assert script.matched([1.7, 6.3], true) == 2
    assert script.matched([1.5, 4.5, 6.5], true) == 0


def test_halves_share_no_recording(script, tmp_path):
    for folder in ("run", "golf"):
        (tmp_path / folder).mkdir()
        for recording in range(6):
            for clip in range(3):
                (tmp_path / folder / f"{folder}{recording}_{folder}_{clip}.avi").touch()
    halves = [script.find_sources(tmp_path, half) for half in ("first", "second")]
    assert [len(half) for half in halves] == [6, 6]
    assert not {path.stem[:-1] for path in halves[0]} & {path.stem[:-1] for path in halves[1]}
    assert set(script.find_sources(tmp_path, "all")) == {*halves[0], *halves[1]}
    pair = script.choose(halves[0], 2, np.random.default_rng(0))
    assert {path.parent.name for path in pair} == {"run", "golf"}


def test_without_pyscenedetect_the_install_command_is_told(script, monkeypatch):
    monkeypatch.setitem(sys.modules, "scenedetect", None)
    result = CliRunner().invoke(script.main, [str(SAMPLES), "--shots", "2"])
    assert result.exit_code == 1
    assert "pip install 'captioner[peers]'" in result.output


def test_too_few_pictures(script, tmp_path):
    result = CliRunner().invoke(script.main, [str(tmp_path)])
    assert result.exit_code == 1
    assert "0 images or clips: give more" in result.output
