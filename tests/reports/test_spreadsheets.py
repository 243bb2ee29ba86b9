"""What spreadsheets make of a CSV report is kept, and gone on with."""

import csv
import io

import pytest

from captioner.errors import CaptionerError
from captioner.reports.output import open_report
from captioner.results import Caption

DOG = Caption("a dog", ("a", "dog"), -1.25, -0.5, confidence=0.567)
SHOT = Caption("a cat", ("a", "cat"), -1.5, -0.5, span=(0.0, 2.5))
NEW = "path,start,end,caption,log_prob,confidence,error\n"
OLD = "path,start,end,caption,log_prob,error\n"


def touch(bom=False, crlf=False, column=False, semicolons=False):
    def edit(text):
        table = list(csv.reader(io.StringIO(text, newline="")))
        if column:
            table = [[*table[0], "checked"], *([*row, "yes, by me"] for row in table[1:])]
        out = io.StringIO(newline="")
        end = "\r\n" if crlf else "\n"
        csv.writer(out, delimiter=";" if semicolons else ",", lineterminator=end).writerows(table)
        return "\ufeff" * bom + out.getvalue()

    return edit


@pytest.mark.parametrize(
    "edit",
    [
        touch(),
        touch(bom=True),
        touch(crlf=True),
        touch(column=True),
        touch(semicolons=True),
        touch(bom=True, crlf=True, column=True, semicolons=True),
    ],
    ids=["nothing", "bom", "crlf", "column", "semicolons", "all"],
)
@pytest.mark.parametrize("header", [NEW, OLD])
def test_a_touched_report_is_gone_on_with_and_corrections_stay(tmp_path, edit, header):
    path = tmp_path / "r.csv"
    confidence = "0.57," if header == NEW else ""
    path.write_text(
        header
        + f'dog.jpg,,,"a brown dog, by me",-1.25,{confidence}\n'
        + f"film.mp4,0.0,2.5,a cat,-1.5,{confidence}\n"
        + f"last.jpg,,,a hare,-1.5,{confidence}\n"
    )
    before = edit(path.read_text())
    path.write_text(before, newline="")
    with open_report(path, "csv") as report:
        assert [report.skip(name) for name in ("dog.jpg", "film.mp4", "last.jpg", "new.jpg")] == [
            *[True] * 3,
            False,
        ]
        report.write("new.jpg", DOG)
        report.write("new.mp4", SHOT)
    after = path.read_bytes().decode()
    assert after.startswith(before)
    delimiter = ";" if ";" in before else ","
    lines = after.removeprefix("\ufeff")
    table = list(csv.DictReader(io.StringIO(lines, newline=""), delimiter=delimiter, strict=True))
    assert [row["caption"] for row in table[-2:]] == ["a dog", "a cat"]
    assert table[-1]["start"] == "0.0" and table[-1]["end"] == "2.5"
    if header == NEW:
        assert table[-2]["confidence"] == "0.57"
    assert all(None not in row and None not in row.values() for row in table)
    assert after.count("\r\n") in (0, after.count("\n"))


def test_a_correction_of_the_last_film_stays(tmp_path):
    path = tmp_path / "r.csv"
    with open_report(path, "csv") as report:
        report.write("film.mp4", SHOT)
    path.write_text(path.read_text().replace("a cat", "my cat"))
    with open_report(path, "csv") as report:
        assert report.skip("film.mp4")
    assert "my cat" in path.read_text()


def test_a_sorted_report_keeps_all_rows(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text(
        OLD + "b.mp4,0,1,a,-1,\na.mp4,0,1,b,-1,\nb.mp4,1,2,c,-1,\n,,,,,\na.mp4,1,2,d,-1,\n"
    )
    before = path.read_text()
    with open_report(path, "csv") as report:
        assert report.skip("a.mp4") and report.skip("b.mp4")
    assert path.read_text() == before


def test_no_message_advises_a_loss(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text(OLD.replace("caption", "description") + "dog.jpg,,,a dog,-1.25,\n")
    before = path.read_bytes()
    with pytest.raises(CaptionerError, match="does not have all columns path, start") as error:
        open_report(path, "csv").__enter__()
    assert "overwrite" not in str(error.value)
    assert path.read_bytes() == before
