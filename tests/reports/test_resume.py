import csv
import io
import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captioner.caption import Caption
from captioner.errors import CaptionerError
from captioner.reports.output import open_report

# Whatever Linux allows as the name of a file.
names = st.binary(min_size=1, max_size=12).filter(
    lambda b: b"\0" not in b and b"/" not in b and b not in (b".", b"..")
)
plain_names = names.filter(lambda b: b"\t" not in b and b"\n" not in b)
texts = st.text("abé ,\"'", min_size=1, max_size=8)


def caption(text: str) -> Caption:
    return Caption(text, tuple(text.split()), -1.25, -0.5)


def parse(form: str, data: bytes) -> list[tuple[str, str]]:
    """Paths and captions by the standard library alone."""
    text = data.decode("utf-8", "surrogateescape")
    if form == "jsonl":
        rows = [json.loads(line) for line in data.split(b"\n")[:-1]]
        return [(row["path"], row.get("caption", "")) for row in rows]
    if form == "csv":
        table = csv.DictReader(io.StringIO(text, newline=""))
        # An apostrophe keeps a spreadsheet from running a formula.
        return [
            tuple(re.sub(r"^'(?='*[=+\-@\t\r])", "", row[name]) for name in ("path", "caption"))
            for row in table
        ]
    return [tuple(line.split("\t")) for line in text.split("\n")[:-1]]


@pytest.mark.parametrize("form", ["jsonl", "csv", "text"])
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_run_killed_at_any_byte_is_resumed(form, data, tmp_path_factory):
    report = tmp_path_factory.mktemp("killed") / "report"
    kind = plain_names if form == "text" else names
    chosen = data.draw(st.dictionaries(kind.map(os.fsdecode), texts | st.none(), min_size=1))
    said = {path: text or "later" for path, text in chosen.items()}

    ends = {}
    with open_report(report, form) as (writer, described):
        assert described == set()
        # The header is written at once, minutes before the first row.
        first = report.stat().st_size
        for path, text in chosen.items():
            writer.write(path, caption(text) if text else CaptionerError("broken"))
            ends[path] = report.stat().st_size
    whole = report.read_bytes()
    if form == "text":
        first = whole.find(b"\t") + 1  # Before its first tab, a text might be anybody's.
    kept = data.draw(st.integers(first, len(whole)))
    report.write_bytes(whole[:kept])

    with open_report(report, form) as (writer, described):
        complete = [path for path, text in chosen.items() if text and ends[path] <= kept]
        assert described == {str(Path.cwd() / path) for path in complete}
        for path in chosen:
            if path not in complete:
                writer.write(path, caption(said[path]))
    assert sorted(parse(form, report.read_bytes())) == sorted(said.items())


def test_text_keeps_a_path_of_several_lines(tmp_path):
    report = tmp_path / "captions.txt"
    for expected in (set(), {str(Path.cwd() / name) for name in ("a\nb.jpg", "c\td.jpg")}):
        with open_report(report, "text") as (writer, described):
            assert described == expected
            if not described:
                writer.write("a\nb.jpg", caption("a dog"))
                writer.write("c\td.jpg", caption("a cat"))
    assert report.read_bytes() == b"a\nb.jpg\ta dog\nc\td.jpg\ta cat\n"


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("jsonl", '{"image": "dog.jpg", "caption": "a dog"}\n'),
        ("jsonl", '{"path": "dog.jpg"}\n'),
        ("jsonl", "[1]\n"),
        ("jsonl", "my notes"),
        ("csv", "image,caption\ndog.jpg,a dog\n"),
        ("csv", "path,start,end,caption,log_prob,error\ndog.jpg,a dog\n"),
        ("csv", "path,start,end,caption,log_prob,error\n" + "x" * 200_000 + ",,,,,\n"),
        ("text", "my notes\n"),
        ("text", "my notes"),
        ("text", "dog.jpg\ta dog\nmy notes\nmore\n"),
    ],
)
def test_a_file_that_is_no_report_stays_as_it_is(tmp_path, form, content):
    path = tmp_path / "file"
    path.write_text(content)
    with pytest.raises(CaptionerError, match="file is no report of captions"):
        open_report(path, form).__enter__()
    assert path.read_text() == content
    assert list(tmp_path.iterdir()) == [path]
    with open_report(path, form, overwrite=True) as (writer, described):
        writer.write("dog.jpg", caption("a dog"))
    assert described == set()
    assert parse(form, path.read_bytes()) == [("dog.jpg", "a dog")]


def test_a_link_and_the_permissions_of_a_report_stay(tmp_path):
    report, link = tmp_path / "report.jsonl", tmp_path / "link.jsonl"
    report.write_text('{"path": "a.jpg", "error": "broken"}\n')
    report.chmod(0o600)
    link.symlink_to(report)
    with open_report(link, "jsonl") as (writer, _):
        writer.write("a.jpg", caption("a dog"))
    assert link.is_symlink()
    assert report.stat().st_mode & 0o777 == 0o600
    assert parse("jsonl", report.read_bytes()) == [("a.jpg", "a dog")]


def test_a_picture_is_the_same_by_its_relative_and_absolute_path(tmp_path):
    report = tmp_path / "report.csv"
    with open_report(report, "csv") as (writer, _):
        writer.write("./a.jpg", caption("a dog"))
    with open_report(report, "csv") as (_, described):
        assert described == {str(Path.cwd() / "a.jpg")}


def test_a_csv_row_cut_short_inside_a_path_of_several_lines(tmp_path):
    report = tmp_path / "report.csv"
    whole = 'path,start,end,caption,log_prob,error\na.jpg,,,a dog,-1.25,\n"b\n'
    report.write_text(whole)
    with open_report(report, "csv") as (_, described):
        assert described == {str(Path.cwd() / "a.jpg")}
    assert report.read_text() == whole.removesuffix('"b\n')
