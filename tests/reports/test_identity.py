"""Rows belong to a file and to its content, not to a spelling of its path."""

import csv
import json
import os
from contextlib import suppress
from dataclasses import replace

import pytest

from captioner.errors import CaptionerError
from captioner.reports.output import open_report
from captioner.results import Caption


def caption(text):
    return Caption(text, tuple(text.split()), -1.25, -0.5)


def describe(path, *names, said="a dog", form="jsonl"):
    """Describes what a report does not have; returns the names of that, and the counts."""
    with open_report(path, form) as report:
        new = [name for name in names if not report.skip(name)]
        for name in new:
            report.write(name, caption(said) if said else CaptionerError("broken"))
    return new, report.skipped, report.changed


def rows(path):
    with path.open(newline="") as file:
        if path.suffix == ".csv":
            return [(row["path"], row["caption"]) for row in csv.DictReader(file)]
        if path.suffix == ".txt":
            return [tuple(line.rstrip("\n").split("\t")) for line in file]
        return [(row["path"], row.get("caption")) for row in map(json.loads, file)]


@pytest.mark.parametrize("name", ["all.jsonl", "all.csv", "all.txt"])
def test_the_same_name_in_two_folders_is_two_files(tmp_path, monkeypatch, name):
    form = {".txt": "text"}.get((tmp_path / name).suffix, name.rpartition(".")[2])
    for folder in ("A", "B"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.jpg").write_text(folder)
        monkeypatch.chdir(tmp_path / folder)
        assert describe(tmp_path / name, "a.jpg", said=folder, form=form)[0] == ["a.jpg"]
    # All paths start from the folder of the first run.
    assert rows(tmp_path / name) == [("a.jpg", "A"), ("../B/a.jpg", "B")]
    monkeypatch.chdir(tmp_path)
    spellings = ["A/a.jpg", str(tmp_path / "B" / "a.jpg"), "./A/../B/a.jpg"]
    assert describe(tmp_path / name, *spellings, form=form) == ([], 3, 0)


def test_a_folder_is_not_described_twice_from_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_text("a")
    (tmp_path / "link").symlink_to("photos")
    monkeypatch.chdir(tmp_path)
    assert describe(tmp_path / "p.csv", "photos/a.jpg", form="csv")[0]
    assert describe(tmp_path / "p.csv", "link/a.jpg", form="csv") == ([], 1, 0)
    monkeypatch.chdir(tmp_path / "photos")
    assert describe(tmp_path / "p.csv", "a.jpg", "./a.jpg", form="csv") == ([], 2, 0)
    assert rows(tmp_path / "p.csv") == [("photos/a.jpg", "a dog")]


@pytest.mark.parametrize("form", ["jsonl", "csv", "text"])
def test_a_replaced_picture_is_described_anew_and_its_row_replaced(tmp_path, monkeypatch, form):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"r.{form.replace('text', 'txt')}"
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_text("one")
    describe(path, "a.jpg", "b.jpg", form=form)
    (tmp_path / "a.jpg").write_text("two")
    # What is not asked for stays, changed or not.
    assert describe(path, "b.jpg", form=form, said="new") == ([], 1, 0)
    assert describe(path, "./a.jpg", "b.jpg", form=form, said="new") == (["./a.jpg"], 1, 1)
    assert rows(path) == [("b.jpg", "a dog"), ("a.jpg", "new")]
    assert describe(path, "a.jpg", form=form) == ([], 1, 0)


def test_a_touched_picture_keeps_its_row(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jpg").write_text("one")
    describe(tmp_path / "r.csv", "a.jpg", form="csv")
    os.utime(tmp_path / "a.jpg", (1, 1))
    assert describe(tmp_path / "r.csv", "a.jpg", form="csv") == ([], 1, 0)
    record = (tmp_path / "r.csv.run").read_text().splitlines()
    assert json.loads(record[-1])["file"]["mtime_ns"] == 10**9  # so it is not read again


def test_a_replaced_picture_that_is_broken_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "r.jsonl"
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_text("one")
    describe(path, "a.jpg", "b.jpg")
    (tmp_path / "a.jpg").write_text("two")
    assert describe(path, "a.jpg", said=None)[0] == ["a.jpg"]
    assert rows(path) == [("a.jpg", "a dog"), ("b.jpg", "a dog"), ("a.jpg", None)]
    assert describe(path, "a.jpg", said="new")[0] == ["a.jpg"]
    assert rows(path) == [("b.jpg", "a dog"), ("a.jpg", "new")]


@pytest.mark.parametrize("recorded", [False, True])
def test_a_kill_while_a_row_is_replaced_leaves_one_row(tmp_path, monkeypatch, recorded):
    monkeypatch.chdir(tmp_path)
    path, record = tmp_path / "r.jsonl", tmp_path / "r.jsonl.run"
    (tmp_path / "a.jpg").write_text("one")
    describe(path, "a.jpg", said="old")
    (tmp_path / "a.jpg").write_text("two")
    before = record.read_text()
    with pytest.raises(KeyboardInterrupt), open_report(path, "jsonl") as report:
        assert not report.skip("a.jpg")
        report.write("a.jpg", caption("new"))
        raise KeyboardInterrupt
    assert rows(path) == [("a.jpg", "old"), ("a.jpg", "new")]
    if not recorded:  # killed between the row and its record
        record.write_text(before)
    assert bool(describe(path, "a.jpg", said="new")[0]) == (not recorded)
    assert rows(path) == [("a.jpg", "new")]


def test_a_row_that_somebody_deletes_is_described_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "r.jsonl"
    describe(path, "a.jpg", "b.jpg")
    path.write_text(path.read_text().splitlines(keepends=True)[1])
    assert describe(path, "a.jpg", "b.jpg")[0] == ["a.jpg"]


def test_an_old_report_is_gone_on_with_by_the_paths_that_it_has(tmp_path, monkeypatch):
    (tmp_path / "A").mkdir()
    (tmp_path / "B").mkdir()
    path = tmp_path / "all.csv"
    path.write_text("path,start,end,caption,log_prob,error\na.jpg,,,a dog,-1.25,\n")
    monkeypatch.chdir(tmp_path / "A")  # as its run had done
    with open_report(path, "csv") as report:
        assert "all.csv has no all.csv.run" in report.remark
        assert report.skip("a.jpg")
        report.write("b.jpg", caption("a cat"))
    monkeypatch.chdir(tmp_path / "B")
    with open_report(path, "csv") as report:
        assert report.remark == ""
        assert report.skip("../A/a.jpg") and report.skip("../A/b.jpg")
        assert not report.skip("a.jpg")
    # Its columns stay as they are.
    assert path.read_text().splitlines()[2] == "b.jpg,,,a cat,-1.25,"


def test_an_old_text_report_may_have_folders_of_frames(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jump").mkdir()
    (tmp_path / "r.txt").write_text("jump\tjumping 0.9000\nrun.mp4\trunning 0.8000\n")
    assert describe(tmp_path / "r.txt", "jump", "run.mp4", form="text") == ([], 2, 0)


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_all_rows_of_a_replaced_film_are_replaced(tmp_path, monkeypatch, form, killed):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"r.{form}"
    film = tmp_path / "film.mp4"

    def write(shots):
        with open_report(path, form) as report:
            assert not report.skip("film.mp4")
            for index in range(shots):
                shot = replace(caption(f"{index} of {shots}"), span=(index, index + 1))
                both = replace(shot, alternatives=(replace(shot, text="other"),))
                report.write("film.mp4", both, last=index == shots - 1)
            if killed:
                raise KeyboardInterrupt

    for shots in (3, 2, 4):
        film.write_text(str(shots))
        with suppress(KeyboardInterrupt):
            write(shots)
    with open_report(path, form) as report:
        assert report.skip("film.mp4")
    text = path.read_text()
    assert text.count(" of 4") == (8 if form == "jsonl" else 4)  # captions and alternatives
    assert " of 3" not in text and " of 2" not in text
    assert text.count("other") == 4


def test_standard_input_keeps_its_name_from_any_folder(tmp_path, monkeypatch):
    (tmp_path / "A").mkdir()
    for folder in (tmp_path, tmp_path / "A"):
        monkeypatch.chdir(folder)
        with open_report(tmp_path / "r.jsonl", "jsonl") as report:
            report.write("-", caption("a dog"))
    assert rows(tmp_path / "r.jsonl") == [("-", "a dog")] * 2
