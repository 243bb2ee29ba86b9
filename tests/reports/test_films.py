import csv
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captioner.errors import CaptionerError
from captioner.reports.output import open_report
from captioner.reports.resume import resume_report
from captioner.results import Caption


def shot(text, start, end):
    return Caption(text, tuple(text.split()), -1.25, -0.5, span=(start, end))


def write_film(writer, path, shots):
    for index in range(shots):
        writer.write(path, shot(f"shot {index}", index, index + 1.5), index == shots - 1)


def read(form, path):
    """The captions of each file by the standard library alone."""
    found = {}
    if form == "jsonl":
        for line in path.read_text().splitlines():
            row = json.loads(line)
            assert row["path"] not in found
            found[row["path"]] = [
                (x["start"], x["end"], x["caption"]) for x in row.get("segments", [])
            ]
    elif form == "csv":
        with path.open(newline="") as table:
            for row in csv.DictReader(table):
                said = (float(row["start"]), float(row["end"]), row["caption"])
                found.setdefault(row["path"], []).append(said)
    else:
        for line in path.read_text().splitlines():
            name, span, said = line.split("\t")
            start, end = (float(time.split(":")[2]) for time in span.split("-"))
            found.setdefault(name, []).append((start, end, said))
    return found


@pytest.mark.parametrize("form", ["jsonl", "csv", "text"])
@settings(deadline=None, max_examples=60)
@given(films=st.lists(st.integers(1, 4), min_size=1, max_size=4), data=st.data())
def test_a_run_killed_at_any_byte_has_each_film_once_and_whole(form, films, data, tmp_path_factory):
    report = tmp_path_factory.mktemp("killed") / "report"
    with open_report(report, form) as writer:
        ends = []
        for number, shots in enumerate(films):
            write_film(writer, f"{number}.mp4", shots)
            ends.append(report.stat().st_size)
    whole = report.read_bytes()
    kept = data.draw(st.integers(0, len(whole)))
    report.write_bytes(whole[:kept])

    # A film gets its line in the record after its rows.
    record = report.with_name("report.run")
    complete = sum(end <= kept for end in ends)
    record.write_text("".join(record.read_text().splitlines(keepends=True)[: 1 + complete]))
    with open_report(report, form) as writer:
        for number, shots in enumerate(films):
            assert writer.skip(f"{number}.mp4") == (number < complete)
            if number >= complete:
                write_film(writer, f"{number}.mp4", shots)
    assert read(form, report) == {
        f"{number}.mp4": [(i, i + 1.5, f"shot {i}") for i in range(shots)]
        for number, shots in enumerate(films)
    }


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_film_that_breaks_off_is_tried_again(form, tmp_path):
    report = tmp_path / "report"
    with open_report(report, form) as writer:
        write_film(writer, "good.mp4", 2)
        writer.write("bad.mp4", shot("a dog", 0, 1), last=False)
        writer.write("bad.mp4", CaptionerError("it breaks off"))
        writer.write("cat.jpg", replace(shot("a cat", 0, 1), span=None))
    assert "it breaks off" in report.read_text()
    assert "a dog" in report.read_text()
    assert resume_report(report, form).paths == ["good.mp4", "cat.jpg"]
    assert "bad.mp4" not in report.read_text()


def test_json_of_a_film(tmp_path):
    report = tmp_path / "report.json"
    both = replace(shot("a dog", 0, 1.23456), alternatives=(shot("a cat", 0, 1.23456),))
    with open_report(report, "json") as writer:
        writer.write("film.mp4", both, last=False)
        writer.write("film.mp4", shot("a tree", 1.23456, 2), last=True)
    said = [{"caption": "a dog", "log_prob": -1.25}, {"caption": "a cat", "log_prob": -1.25}]
    assert json.loads(report.read_text()) == [
        {
            "path": "film.mp4",
            "segments": [
                {"start": 0, "end": 1.235, **said[0], "captions": said},
                {"start": 1.235, "end": 2, "caption": "a tree", "log_prob": -1.25},
            ],
        }
    ]
