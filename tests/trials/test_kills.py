import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from captioner.library.schema import connect

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def trials(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    from trials import kill_targets, kills

    return kills, kill_targets


@pytest.mark.slow
@pytest.mark.parametrize("name", ["caption --out", "caption --library", "evaluate"])
def test_kills_lose_double_and_halve_nothing(trials, tiny_preset, tmp_path, name):
    kills, kill_targets = trials
    (tmp_path / "data").mkdir()
    (tmp_path / "out").mkdir()
    targets = kill_targets.kill_targets(tmp_path / "data", str(tiny_preset))
    (target,) = (t for t in targets if t.name == name)
    counts = kills.kill(target, tmp_path / "out", 2, random.Random(1))
    assert counts["kills"] == 2 and counts["rounds"] >= 1


def test_a_row_twice_and_half_a_file_are_found(trials, tmp_path):
    _, kill_targets = trials
    (tmp_path / "rows.jsonl").write_text('{"path": "a"}\n{"path": "a"}\n{"pa')
    with pytest.raises(AssertionError, match="twice"):
        kill_targets._no_row_twice(tmp_path)
    (tmp_path / "index.json").write_text('{"completed": ')
    with pytest.raises(ValueError):
        kill_targets._whole_json(tmp_path)


def test_a_library_with_a_file_without_captions_is_found(trials, tmp_path):
    _, kill_targets = trials
    connect(tmp_path / "pictures.db", create=True).close()
    kill_targets._sound_library(tmp_path)
    with closing(sqlite3.connect(tmp_path / "pictures.db")) as library, library:
        library.execute(
            "INSERT INTO files (path, sha256, size, mtime_ns, model, described) "
            "VALUES ('a.jpg', '', 1, 1, 'tiny', '')"
        )
    with pytest.raises(AssertionError, match="without its captions"):
        kill_targets._sound_library(tmp_path)
