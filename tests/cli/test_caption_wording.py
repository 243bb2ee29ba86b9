import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from captioner.cli.caption import main

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
CAT = str(SAMPLES / "cat.jpg")


@pytest.fixture
def run(tiny_preset):
    preset = ["--preset", str(tiny_preset), "--precision", "float32"]
    return lambda *arguments: CliRunner().invoke(main, [*preset, *map(str, arguments)])


@pytest.mark.parametrize("engine", ["openvino", "keras"])
def test_words_that_are_never_said(run, engine):
    free = run(CAT, "--engine", engine).stdout.split()
    held = run(CAT, "--engine", engine, "--never", free[0].upper(), "--never", "zebra").stdout
    assert held.strip() and free[0] not in held.split()


def test_length_case_and_own_words(run):
    short = run(CAT, "--max-length", "3").stdout.split()
    long = run(CAT, "--min-length", "6").stdout.split()
    assert len(short) <= 3 and len(long) >= 6
    plain = run(CAT).stdout.strip()
    options = ("--prefix", "photo of", "--suffix", ", 1969", "--case", "sentence")
    assert run(CAT, *options).stdout == f"Photo of {plain}, 1969.\n"


@pytest.mark.parametrize(("certain", "replaced"), [(0.0, ()), (1.1, ("man", "woman"))])
def test_gender_is_said_where_it_is_certain(certain, replaced, monkeypatch):
    monkeypatch.setattr("captioner.captioning.CERTAIN_GENDER", certain)
    picture = str(SAMPLES / "photographer.jpg")
    plain, neutral = (
        json.loads(CliRunner().invoke(main, [picture, "-n", "2", "--json", *options]).stdout)[0]
        for options in ((), ("--gender-neutral",))
    )
    assert "man" in plain["caption"].split()
    for one, other in zip(plain["captions"], neutral["captions"], strict=True):
        words = ["person" if word in replaced else word for word in one["caption"].split()]
        assert other["caption"].split() == words
        assert other["log_prob"] == one["log_prob"]


def test_a_report_is_held_to_its_wording(run, tmp_path):
    report = str(tmp_path / "r.csv")
    assert run(CAT, "--out", report, "--prefix", "photo of").exit_code == 0
    other = run(CAT, "--out", report, "--never", "dog")
    assert other.exit_code == 2
    assert "was begun with --prefix photo of" in other.stderr


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--never", "cell phone"), "'cell phone': give one word"),
        (("--never", ""), "give one word"),
        (("--min-length", "20"), "--min-length 20 is above the maximum, 8 words"),
        (("--min-length", "5", "--max-length", "4"), "above the maximum, 4 words"),
        (("--case", "title"), "--case"),
    ],
)
def test_refusals(run, options, reason):
    result = run(CAT, *options)
    assert result.exit_code == 2
    assert reason in result.stderr
