import random
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def kills(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    from trials import kills

    return kills


@pytest.mark.slow
@pytest.mark.parametrize("name", ["caption", "evaluate"])
def test_kills_lose_double_and_halve_nothing(kills, tiny_preset, tmp_path, name):
    (tmp_path / "data").mkdir()
    (tmp_path / "out").mkdir()
    (target,) = (t for t in kills.targets(tmp_path / "data", str(tiny_preset)) if t.name == name)
    counts = kills.kill(target, tmp_path / "out", 2, random.Random(1))
    assert counts["kills"] == 2 and counts["rounds"] >= 1


def test_a_row_twice_and_half_a_file_are_found(kills, tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"path": "a"}\n{"path": "a"}\n{"pa')
    with pytest.raises(AssertionError, match="twice"):
        kills._no_row_twice(tmp_path)
    (tmp_path / "index.json").write_text('{"completed": ')
    with pytest.raises(ValueError):
        kills._whole_json(tmp_path)
