import io
import json
from pathlib import Path

import pytest

from captioner.errors import CaptionerError
from captioner.reports.json import JSONLinesWriter
from captioner.reports.output import open_report
from captioner.reports.report import FannedReport, Report
from captioner.results import Caption

DOG = Caption("a dog", ("a", "dog"), -1.0, -0.5)
SHOT = Caption("a dog", ("a", "dog"), -1.0, -0.5, span=(0.0, 1.0))


class Kept:
    """A destination that keeps what it gets, and refuses the names that it is told to."""

    def __init__(self, unwanted=(), unreadable=(), unwritable=()):
        self.unwanted, self.unreadable, self.unwritable = unwanted, unreadable, unwritable
        self.written = {}

    def wants(self, path):
        if path in self.unreadable:
            raise CaptionerError(f"{path} cannot be looked at")
        return path not in self.unwanted

    def write(self, path, results):
        if path in self.unwritable:
            raise CaptionerError(f"{path} cannot be written")
        self.written[path] = list(results)

    def close(self):
        pass

    def summary(self):
        yield f"Kept: {len(self.written)}"


def run(report, paths, results=(DOG,)):
    described = [path for path in paths if not report.skip(path)]
    for path in described:
        for number, result in enumerate(results, start=1):
            report.write(path, result, number == len(results))
    return described


def test_each_gets_what_it_wants():
    stream, told = io.BytesIO(), []
    first, second = Kept(unwanted=["a", "b"]), Kept(unwanted=["a", "c"])
    report = FannedReport(
        Report(JSONLinesWriter(stream)), [first, second], is_file=False, tell=told.append
    )
    assert run(report, ["a", "b", "c", "d"], [SHOT, SHOT]) == ["b", "c", "d"]
    assert first.written == {"c": [SHOT, SHOT], "d": [SHOT, SHOT]}
    assert second.written == {"b": [SHOT, SHOT], "d": [SHOT, SHOT]}
    # Standard output shows what is described for anybody.
    assert [json.loads(line)["path"] for line in stream.getvalue().splitlines()] == ["b", "c", "d"]
    assert list(report.summary()) == ["Kept: 2", "Kept: 2"]
    assert (told, report.failed) == ([], 0)


def test_an_error_of_one_place_stops_nothing():
    stream, told = io.BytesIO(), []
    broken = Kept(unreadable=["a"], unwritable=["b"])
    whole = Kept()
    report = FannedReport(Report(JSONLinesWriter(stream)), [broken, whole], False, told.append)
    run(report, ["a", "b", "c"])
    assert list(whole.written) == ["a", "b", "c"] and list(broken.written) == ["c"]
    assert told == ["a cannot be looked at", "b cannot be written"]
    assert report.failed == 2


@pytest.mark.parametrize("in_sidecars", [[], ["a"], ["a", "b"]])
def test_a_file_and_others_are_each_continued(tmp_path, monkeypatch, in_sidecars):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        Path(name).touch()
    with open_report(Path("r.jsonl"), "jsonl") as report:
        run(report, ["a"])
    kept = Kept(unwanted=in_sidecars)
    with open_report(Path("r.jsonl"), "jsonl") as report:
        fanned = FannedReport(report, [kept], is_file=True, tell=pytest.fail)
        described = run(fanned, ["a", "b"])
    assert described == [name for name in ("a", "b") if name == "b" or name not in in_sidecars]
    rows = [json.loads(line)["path"] for line in Path("r.jsonl").read_text().splitlines()]
    assert rows == ["a", "b"]
    assert list(kept.written) == [name for name in ("a", "b") if name not in in_sidecars]
