"""One process writes a report, and notices when it is taken away."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from captioner.errors import CaptionerError
from captioner.reports.output import open_report
from captioner.results import Caption

DOG = Caption("a dog", ("a", "dog"), -1.25, -0.5)
HOLD = """
import sys, time
from pathlib import Path
from captioner.reports.output import open_report
with open_report(Path(sys.argv[1]), sys.argv[2]):
    print("open", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("form", ["jsonl", "csv", "text", "json"])
def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path, form):
    path, link = tmp_path / "report", tmp_path / "link"
    command = [sys.executable, "-c", HOLD, str(path), form]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"open\n"
        link.symlink_to(path)
        for name in (path, link):
            with pytest.raises(CaptionerError, match="report is being written by another process"):
                open_report(name, form).__enter__()
        process.kill()  # which leaves its lock file behind
    with open_report(path, form) as report:
        report.write("dog.jpg", DOG)
    assert "a dog" in path.read_text()
    assert not list(tmp_path.glob(".*.lock"))


@pytest.mark.parametrize("form", ["jsonl", "csv", "text"])
def test_rows_are_not_written_to_a_report_that_is_gone(tmp_path, form):
    folder = tmp_path / "reports"
    for take_away in (lambda: shutil.rmtree(folder), lambda: (folder / "r").unlink()):
        folder.mkdir(exist_ok=True)
        with (
            pytest.raises(CaptionerError, match=r"reports/r was deleted or replaced"),
            open_report(folder / "r", form) as report,
        ):
            report.write("dog.jpg", DOG)
            take_away()
            report.write("cat.jpg", DOG)


def test_json_says_that_its_folder_is_gone(tmp_path):
    folder = tmp_path / "reports"
    folder.mkdir()
    with (
        pytest.raises(CaptionerError, match=r"cannot write .*reports/r.json"),
        open_report(folder / "r.json", "json") as report,
    ):
        report.write("dog.jpg", DOG)
        shutil.rmtree(folder)


def test_a_missing_folder_is_not_made(tmp_path):
    with pytest.raises(CaptionerError, match="No such file"):
        open_report(tmp_path / "missing" / "r.csv", "csv").__enter__()
    assert list(Path(tmp_path).iterdir()) == []
