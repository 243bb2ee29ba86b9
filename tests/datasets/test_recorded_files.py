import os

import pytest

from captioner.datasets.store_files import RECORD, RecordedFiles
from captioner.errors import CaptionerError


@pytest.fixture
def pictures(tmp_path):
    paths = [tmp_path / f"{n}.jpg" for n in range(5)]
    for path in paths:
        path.write_bytes(path.name.encode())
    return [str(path) for path in paths]


def record(folder, paths, rows=0):
    files = RecordedFiles(folder, rows)
    files.resume()
    files.add(paths)
    return RecordedFiles(folder, rows + len(paths))


def names(paths):
    return [os.path.basename(path) for path in paths]  # noqa: PTH119


def test_a_replaced_file_is_noticed_and_a_touched_one_is_not(tmp_path, pictures):
    files = record(tmp_path, pictures)
    os.utime(pictures[1], (1, 1))
    files.check(names(pictures), pictures)
    with open(pictures[2], "r+b") as file:  # noqa: PTH123
        file.write(b"X")
    with pytest.raises(CaptionerError, match=r"1 file has changed .* \(2\.jpg\)"):
        files.check(names(pictures), pictures)


def test_many_are_counted(tmp_path, pictures):
    files = record(tmp_path, pictures)
    for path in pictures:
        with open(path, "ab") as file:  # noqa: PTH123
            file.write(b"more")
    with pytest.raises(CaptionerError, match=r"5 files have changed .*2\.jpg, \.\.\.\)"):
        files.check(names(pictures), pictures)


def test_files_that_are_gone_or_moved_do_no_harm(tmp_path, pictures):
    files = record(tmp_path, pictures)
    os.unlink(pictures[0])  # noqa: PTH108
    files.check(names(pictures), pictures)


def test_a_file_that_was_missing_is_not_compared(tmp_path, pictures):
    files = record(tmp_path, [*pictures, str(tmp_path / "late.jpg")])
    (tmp_path / "late.jpg").write_bytes(b"here")
    files.check([*names(pictures), "late.jpg"], [*pictures, str(tmp_path / "late.jpg")])


def test_lines_after_a_kill_are_dropped_and_those_of_old_stores_empty(tmp_path, pictures):
    record(tmp_path, pictures[:3])
    record(tmp_path, pictures[2:], rows=2)  # the index counts two rows of three
    assert len((tmp_path / RECORD).read_text().splitlines()) == 5
    (tmp_path / RECORD).unlink()
    files = record(tmp_path, pictures[3:], rows=3)
    assert (tmp_path / RECORD).read_text().splitlines()[:3] == ["null"] * 3
    with open(pictures[0], "ab") as file:  # noqa: PTH123
        file.write(b"more")
    files.check(names(pictures), pictures)
    with open(pictures[4], "ab") as file:  # noqa: PTH123
        file.write(b"more")
    with pytest.raises(CaptionerError, match=r"4\.jpg"):
        files.check(names(pictures), pictures)


def test_a_damaged_record_is_named(tmp_path, pictures):
    files = record(tmp_path, pictures)
    (tmp_path / RECORD).write_text("{}\n")
    with pytest.raises(CaptionerError, match=r"files\.jsonl is damaged"):
        files.check(names(pictures), pictures)
