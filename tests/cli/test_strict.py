import json

import pytest
from click.testing import CliRunner

from captioner.cli import main


@pytest.fixture
def table(tmp_path):
    """Eight right rows, and one without a caption."""
    rows = ["image,caption"]
    for number in range(8):
        (tmp_path / f"{number}.png").write_bytes(b"")
        rows.append(f"{number}.png,a dog")
    (tmp_path / "captions.csv").write_text("\n".join([*rows, "8.png,"]) + "\n")
    return tmp_path / "captions.csv"


def refused(*arguments):
    done = CliRunner().invoke(main, [*map(str, arguments), "--strict"])
    assert done.exit_code == 1, done.output
    assert "line 10, has an empty caption" in done.output and "correct them" in done.output
    return True


def recipe(folder, **content):
    path = folder / "recipe.yaml"
    common = {"features": str(folder / "features"), "run": str(folder / "run")}
    path.write_text(json.dumps({**common, **content}))
    return path


def test_strict_refuses_a_table_with_a_faulty_row_before_any_work(table, tmp_path, tiny_preset):
    assert refused("prepare", table, "--preset", tiny_preset, "--out", tmp_path / "features")
    assert refused("teach", table, "--preset", tiny_preset, "--out", tmp_path / "mine")
    stage = {"name": "frozen", "epochs": 1, "learning_rate": 0.1}
    assert refused("train", recipe(tmp_path, dataset=str(table), stages=[stage]))
    for name in ("features", "mine", "mine.teaching", "run"):
        assert not (tmp_path / name).exists()


def test_clips_with_labels_have_no_rows_to_be_strict_about(tmp_path):
    path = recipe(tmp_path, task="activity", dataset=str(tmp_path), epochs=1, learning_rate=0.1)
    done = CliRunner().invoke(main, ["train", str(path), "--strict"])
    assert done.exit_code == 2
    assert "trains on clips with labels, not a table" in done.output
