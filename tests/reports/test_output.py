import csv
import json
import os
from pathlib import Path

import pytest

from captioner.errors import CaptionerError
from captioner.reports.output import format_of, open_report
from captioner.results import Caption

DOG = Caption("a dog", ("a", "dog"), -1.25, -0.5)
BOTH = Caption("a dog", ("a", "dog"), -1.25, -0.5, alternatives=(Caption("dög", (), -2, -1),))
NOT_UTF8 = os.fsdecode(b"\xff.jpg")


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("text", 'é, "x".jpg\ta dog\né, "x".jpg\tdög\n\udcff.jpg\ta dog\n'),
        (
            "jsonl",
            '{"path": "é, \\"x\\".jpg", "caption": "a dog", "log_prob": -1.25, "captions": '
            '[{"caption": "a dog", "log_prob": -1.25}, {"caption": "dög", "log_prob": -2.0}]}\n'
            '{"path": "\\udcff.jpg", "caption": "a dog", "log_prob": -1.25}\n'
            '{"path": "b.jpg", "error": "it is broken, \\"b\\""}\n',
        ),
        (
            "csv",
            "path,start,end,caption,log_prob,confidence,error\n"
            '"é, ""x"".jpg",,,a dog,-1.25,,\n"é, ""x"".jpg",,,dög,-2.0,,\n'
            "\udcff.jpg,,,a dog,-1.25,,\n"
            'b.jpg,,,,,,"it is broken, ""b"""\n',
        ),
    ],
)
def test_rows_are_in_the_file_as_soon_as_they_are_written(tmp_path, form, expected):
    path = tmp_path / "report"
    with open_report(path, form) as writer:
        writer.write('é, "x".jpg', BOTH)
        writer.write(NOT_UTF8, DOG)
        writer.write("b.jpg", CaptionerError('it is broken, "b"'))
        assert path.read_bytes() == expected.encode("utf-8", "surrogateescape")


def test_json_appears_as_a_whole_or_not_at_all(tmp_path):
    path = tmp_path / "report.json"
    for results in ({}, {NOT_UTF8: DOG}, {"a.jpg": BOTH, "b.jpg": CaptionerError("broken")}):
        existed = path.exists()
        with open_report(path, "json") as writer:
            for name, result in results.items():
                writer.write(name, result)
            assert path.exists() == existed
        assert [row["path"] for row in json.loads(path.read_bytes())] == list(results)
    complete = path.read_bytes()
    with pytest.raises(KeyboardInterrupt), open_report(path, "json") as writer:
        writer.write("c.jpg", DOG)
        raise KeyboardInterrupt
    assert path.read_bytes() == complete
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_named(tmp_path):
    for form in ("json", "csv"):
        with pytest.raises(CaptionerError, match=r"no_folder/x .*No such file"):
            open_report(tmp_path / "no_folder" / "x", form).__enter__()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_disk_is_named():
    with (
        pytest.raises(CaptionerError, match=r"/dev/full .*No space left"),
        open_report(Path("/dev/full"), "jsonl") as writer,
    ):
        writer.write("a.jpg", DOG)


def test_suffixes(tmp_path):
    found = [format_of(tmp_path / name) for name in ("a.JSON", "a.jsonl", "a.csv", "a.txt", "a")]
    assert found == ["json", "jsonl", "csv", "text", "text"]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("text", "x.mp4\t0:00:00.0-0:00:01.0\tno confident description\n"),
        (
            "jsonl",
            '{"path": "x.mp4", "segments": [{"start": 0, "end": 1, "caption": "", '
            '"log_prob": -9.0, "confidence": 0.12, "uncertain": true}]}\n',
        ),
        ("csv", "path,start,end,caption,log_prob,confidence,error\nx.mp4,0,1,,-9.0,0.12,\n"),
        ("srt", ""),
        ("vtt", "WEBVTT\n\n"),
    ],
)
def test_an_uncertain_caption_is_a_row_without_a_guess(tmp_path, form, expected):
    nothing = Caption("", (), -9.0, -3.0, span=(0, 1), confidence=0.12, uncertain=True)
    path = tmp_path / "report"
    with open_report(path, form) as writer:
        writer.write("x.mp4", nothing)
    assert path.read_text() == expected
    if form in ("text", "jsonl", "csv"):  # and a later run takes it for described
        resumed = path.read_text()
        with open_report(path, form) as writer:
            assert writer.skip("x.mp4")
        assert path.read_text() == resumed


def test_an_unknown_suffix_is_refused(tmp_path):
    with pytest.raises(CaptionerError, match=r"\.html: use \.txt, \.json"):
        format_of(tmp_path / "page.html")


@pytest.mark.parametrize("name", ["=1+1.jpg", "+a.jpg", "-b.jpg", "@c.jpg", "\td.jpg", "'=e.jpg"])
def test_a_cell_is_no_formula_and_comes_back(tmp_path, name):
    path = tmp_path / "report.csv"
    with open_report(path, "csv") as writer:
        writer.write(name, Caption("=1+1", (), -1.5, -1.0))
        writer.write("'quoted'.jpg", DOG)
    with path.open(newline="") as file:
        _, row, other = csv.reader(file)
    assert row[0] == f"'{name}" and row[3] == "'=1+1"
    assert float(row[4]) == -1.5  # a number stays one
    assert other[0] == "'quoted'.jpg"
    with open_report(path, "csv") as writer:
        assert writer.skip(name) and writer.skip("'quoted'.jpg")
