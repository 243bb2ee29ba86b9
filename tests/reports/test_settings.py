"""A report has rows of one model and one set of options."""

import json
from dataclasses import replace

import pytest

from captioner.errors import CaptionerError
from captioner.reports.output import open_report
from captioner.reports.run_record import Settings
from captioner.results import Caption

DOG = Caption("a dog", ("a", "dog"), -1.25, -0.5)
OPTIONS = {"--num-captions": 1, "--beam-width": 3, "--every": None, "--mirror": False}
SETTINGS = Settings("tiny", "1" * 64, OPTIONS)


@pytest.fixture
def report(tmp_path):
    path = tmp_path / "captions.jsonl"
    with open_report(path, "jsonl", settings=SETTINGS) as report:
        report.write("dog.jpg", DOG)
    return path


@pytest.mark.parametrize(
    ("settings", "difference"),
    [
        (
            replace(SETTINGS, preset="big", sha256="2" * 64),
            "begun with --preset tiny, and this run has --preset big:",
        ),
        (
            replace(SETTINGS, sha256="2" * 64),
            r"begun with --preset tiny \(sha256 11111111\), and this run has --preset tiny \(sha25",
        ),
        (
            replace(SETTINGS, options={**OPTIONS, "--num-captions": 3, "--beam-width": 5}),
            "with --num-captions 1, --beam-width 3, and this run has --num-captions 3, --beam-w",
        ),
        (replace(SETTINGS, options={**OPTIONS, "--mirror": True}), "no --mirror, and .* --mirror:"),
        (replace(SETTINGS, options={**OPTIONS, "--every": 2.5}), "no --every, and .* --every 2.5:"),
    ],
)
def test_another_run_is_refused_with_the_difference_and_the_way_out(report, settings, difference):
    before = report.read_bytes()
    with pytest.raises(CaptionerError, match=difference) as error:
        open_report(report, "jsonl", settings=settings).__enter__()
    assert "give the same options, or name another file" in str(error.value)
    assert report.read_bytes() == before
    with open_report(report, "jsonl", settings=settings, overwrite=True) as again:
        assert not again.skip("dog.jpg")


def test_the_same_model_elsewhere_goes_on(report):
    with open_report(report, "jsonl", settings=replace(SETTINGS, preset="runs/tiny")) as again:
        assert again.skip("dog.jpg")


def test_an_option_that_earlier_versions_did_not_have_is_off(report):
    with open_report(
        report, "jsonl", settings=replace(SETTINGS, options={**OPTIONS, "--new": False})
    ) as again:
        assert again.skip("dog.jpg")


def test_the_record_names_the_model(report):
    head = json.loads(report.with_name("captions.jsonl.run").read_text().splitlines()[0])
    assert head["settings"] == {"preset": "tiny", "sha256": "1" * 64, "options": OPTIONS}


def test_a_damaged_record_says_what_to_do(report):
    record = report.with_name("captions.jsonl.run")
    record.write_text("{}\n")
    before = report.read_bytes()
    with pytest.raises(CaptionerError, match=r"captions.jsonl.run is damaged: delete it to resume"):
        open_report(report, "jsonl", settings=SETTINGS).__enter__()
    assert report.read_bytes() == before
    record.unlink()
    with open_report(report, "jsonl", settings=SETTINGS) as again:
        assert again.skip("dog.jpg")


def test_a_private_report_has_a_private_record(report):
    report.chmod(0o600)
    with open_report(report, "jsonl", settings=SETTINGS):
        pass
    record = report.with_name("captions.jsonl.run")
    assert report.stat().st_mode & 0o777 == record.stat().st_mode & 0o777 == 0o600
