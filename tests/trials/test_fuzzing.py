from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
NAMES = ("image", "video", "dataset", "references", "report", "preset")


@pytest.fixture
def fuzzing(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    from trials import fuzzing

    return fuzzing


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_reader_only_succeeds_or_says_why_not(fuzzing, tmp_path, name):
    target = fuzzing.FUZZ_TARGETS[name]
    inputs, refused = fuzzing.fuzz_by_chance(target, seconds=8, folder=tmp_path)
    assert inputs > refused > 0


def test_what_raises_anything_else_is_found_and_kept(fuzzing, tmp_path):
    def read(data, folder):
        assert data.startswith(b"one"), "a bug"

    target = fuzzing.FuzzTarget(read, lambda: [b"one two"])
    with pytest.raises(AssertionError, match="a bug"):
        fuzzing.fuzz_by_chance(target, seconds=60, folder=tmp_path)
    assert not (tmp_path / "finding").read_bytes().startswith(b"one")
