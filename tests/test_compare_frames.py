import json
import math
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from captioner.captioner import Captioner
from captioner.results import Caption

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "data" / "samples"
FILM = "shepherd_and_cat.mp4"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    import compare_frames

    return compare_frames


@pytest.fixture
def run(script, tiny_preset, tmp_path):
    def run(*names):
        rows = [{"image": n, "caption": "a dog runs on the grass", "split": "test"} for n in names]
        table = tmp_path / "captions.jsonl"
        table.write_text("".join(json.dumps(row) + "\n" for row in rows))
        options = ["--images", SAMPLES, "--preset", tiny_preset, "--no-meteor", "--captions"]
        done = CliRunner().invoke(script.main, [str(x) for x in (table, *options)])
        assert done.exit_code == 0, done.output
        cells = [re.split(r" *\| *", line)[1:-1] for line in done.stdout.splitlines()]
        scores = {(row[0], row[1]): row[2:] for row in cells if len(row) == 6 and row[2:3]}
        said = {row[0]: row[2:] for row in cells if row and row[0] in names}
        return scores, said

    return run


def test_of_a_picture_all_ways_say_the_same(run, tiny_preset):
    names = ["cat.jpg", "coffee.jpg", "dog.jpg"]
    scores, said = run(*names)
    expected = Captioner.from_preset(tiny_preset).generate([str(SAMPLES / name) for name in names])
    assert said == {name: [c.text] * 5 for name, c in zip(names, expected, strict=True)}
    for way in ("unblended", "middle", "mean", "vote"):
        assert scores["CIDEr", way][0] == scores["CIDEr", "attention"][0]
        assert scores["CIDEr", way][2:] == ["+0.0", "0.0 to 0.0"]


def test_attention_is_what_the_captioner_says_of_a_film(run, tiny_preset):
    _, said = run(FILM, "cat.jpg")
    (whole,) = Captioner.from_preset(tiny_preset).generate(str(SAMPLES / FILM), every=math.inf)
    assert said[FILM][0] == whole.text


def test_the_sentence_of_most_frames_is_elected(script):
    dog, late_dog, cat = (
        Caption("dog", ("dog",), -1.0, -0.9),
        Caption("dog", ("dog",), -1.0, -0.5),
        Caption("cat", ("cat",), -0.1, -0.1),
    )
    assert script.elect([dog, cat, late_dog]) is late_dog
    assert script.elect([dog, cat]) is cat
