import csv
import io
import json
import os
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captioner.errors import CaptionerError
from captioner.reports.output import open_report
from captioner.reports.text import unescape_path
from captioner.results import Caption

# Whatever Linux allows as the name of a file.
names = st.binary(min_size=1, max_size=12).filter(
    lambda b: b"\0" not in b and b"/" not in b and b not in (b".", b"..")
)
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
    lines = [line.split("\t") for line in text.split("\n")[:-1]]
    return [(unescape_path(path), said) for path, said in lines]


@pytest.mark.parametrize("form", ["jsonl", "csv", "text"])
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_run_killed_at_any_byte_is_resumed(form, data, tmp_path_factory):
    report = tmp_path_factory.mktemp("killed") / "report"
    chosen = data.draw(st.dictionaries(names.map(os.fsdecode), texts | st.none(), min_size=1))
    said = {path: text or "later" for path, text in chosen.items()}

    ends = {}
    with open_report(report, form) as writer:
        for path, text in chosen.items():
            assert not writer.skip(path)
            writer.write(path, caption(text) if text else CaptionerError("broken"))
            ends[path] = report.stat().st_size
    whole = report.read_bytes()
    kept = data.draw(st.integers(0, len(whole)))
    report.write_bytes(whole[:kept])

    with open_report(report, form) as writer:
        for path, text in chosen.items():
            complete = text is not None and ends[path] <= kept
            assert writer.skip(path) == complete
            if not complete:
                writer.write(path, caption(said[path]))
    assert sorted(parse(form, report.read_bytes())) == sorted(said.items())


def test_a_row_of_text_is_a_line_whatever_is_in_the_name(tmp_path):
    report = tmp_path / "captions.txt"
    odd = ("a\nb.jpg", "c\td.jpg", "\x1b[2J.jpg", "e\\tf.jpg")
    for known in (False, True):
        with open_report(report, "text") as writer:
            for name in odd:
                assert writer.skip(name) == known
                if not known:
                    writer.write(name, caption("a dog"))
    names = [line.split("\t") for line in report.read_text().splitlines()]
    assert names == [
        [r"a\nb.jpg", "a dog"],
        [r"c\td.jpg", "a dog"],
        [r"\x1b[2J.jpg", "a dog"],
        [r"e\\tf.jpg", "a dog"],
    ]


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
        ("text", "id\tname\n1\tRex"),
        ("text", "dog.jpg\tbrown\t3 years\n"),
        ("text", "dog.jpg\ta dog\ncat.jpg\ta c"),
    ],
)
def test_a_file_that_is_no_report_stays_as_it_is(tmp_path, form, content):
    path = tmp_path / "file"
    path.write_text(content)
    with pytest.raises(CaptionerError, match=r"file is not a caption report .* name another file$"):
        open_report(path, form).__enter__()
    assert path.read_text() == content
    assert list(tmp_path.iterdir()) == [path]
    with open_report(path, form, overwrite=True) as writer:
        assert not writer.skip("dog.jpg")
        writer.write("dog.jpg", caption("a dog"))
    assert parse(form, path.read_bytes()) == [("dog.jpg", "a dog")]


def test_a_link_and_the_permissions_of_a_report_stay(tmp_path):
    report, link = tmp_path / "report.jsonl", tmp_path / "link.jsonl"
    report.write_text('{"path": "a.jpg", "error": "broken"}\n')
    report.chmod(0o600)
    link.symlink_to(report)
    with open_report(link, "jsonl") as writer:
        writer.write("a.jpg", caption("a dog"))
    assert link.is_symlink()
    assert report.stat().st_mode & 0o777 == 0o600
    assert parse("jsonl", report.read_bytes()) == [("a.jpg", "a dog")]


def test_a_csv_row_cut_short_inside_a_path_of_several_lines(tmp_path):
    report = tmp_path / "report.csv"
    whole = 'path,start,end,caption,log_prob,error\na.jpg,,,a dog,-1.25,\n"b\n'
    report.write_text(whole)
    with open_report(report, "csv") as writer:
        assert writer.skip("a.jpg")
    assert report.read_text() == whole.removesuffix('"b\n')
