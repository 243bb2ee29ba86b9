import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from captioner.cli import main


@pytest.fixture
def recipe(tmp_path):
    """Writes a recipe on one picture; VGG16 is never built in these tests."""
    (tmp_path / "a.png").write_bytes(b"")
    row = {"image": "a.png", "caption": "a dog", "split": "train"}
    (tmp_path / "captions.jsonl").write_text(json.dumps(row))

    def write(name, stage=None, **content):
        stages = [{"name": "frozen", "epochs": 1, "learning_rate": 0.1, **(stage or {})}]
        recipe = {
            "dataset": str(tmp_path / "captions.jsonl"),
            "features": str(tmp_path / "features"),
            "run": str(tmp_path / name),
            "stages": stages,
            **content,
        }
        path = tmp_path / f"{name}.yaml"
        path.write_text(json.dumps(recipe))
        return path

    return write


NEEDS = {
    "`start`": {"start": "MISSING"},
    "`vocabulary`": {"vocabulary": "MISSING"},
    "the preset of `encoder`": {"encoder": {"preset": "MISSING"}},
    "a teacher of stage frozen": {"stage": {"teachers": ["MISSING"], "distillation": 0.5}},
}


def needing(recipe, what, path):
    content = json.loads(json.dumps(NEEDS[what]).replace("MISSING", str(path)))
    return recipe("second", **content)


@pytest.mark.parametrize("what", NEEDS)
def test_what_another_recipe_makes_is_asked_for_before_any_work(recipe, tmp_path, what):
    second = needing(recipe, what, tmp_path / "first" / "frozen" / "best")
    done = CliRunner().invoke(main, ["train", str(second)])
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: {second}: {what} is the preset {tmp_path}/first/frozen")
    assert "first train the recipe that makes it" in done.output
    assert not (tmp_path / "second").exists() and not (tmp_path / "features").exists()


@pytest.mark.parametrize("what", NEEDS)
def test_a_recipe_before_it_may_make_it(recipe, tmp_path, what, monkeypatch):
    trained = []

    class Trainer:
        def __init__(self, config, report):
            self.config, self.report = config, report

        def train(self):
            trained.append(Path(self.config.run).name)
            return Path(self.config.run)

    monkeypatch.setattr("captioner.training.trainer.Trainer", Trainer)
    first = recipe("first")
    second = needing(recipe, what, tmp_path / "first" / "frozen" / "best")
    done = CliRunner().invoke(main, ["train", str(first), str(second)])
    assert done.exit_code == 0, done.output
    assert trained == ["first", "second"]
    swapped = CliRunner().invoke(main, ["train", str(second), str(first)])
    assert swapped.exit_code == 1
    other = needing(recipe, what, tmp_path / "first" / "finetune" / "best")
    assert CliRunner().invoke(main, ["train", str(first), str(other)]).exit_code == 1
    assert trained == ["first", "second"]


def test_a_missing_data_set_is_named_before_any_work(recipe, tmp_path):
    first, second = recipe("first"), recipe("second", dataset=str(tmp_path / "nowhere"))
    done = CliRunner().invoke(main, ["train", str(first), str(second)])
    assert done.exit_code == 1
    assert f"{second}: there is no data set {tmp_path}/nowhere" in done.output
    assert not (tmp_path / "first").exists()


def test_an_activity_needs_its_start(tmp_path):
    (tmp_path / "clips").mkdir()
    recipe = {
        "task": "activity",
        "dataset": str(tmp_path / "clips"),
        "features": str(tmp_path / "features"),
        "run": str(tmp_path / "run"),
        "epochs": 1,
        "learning_rate": 0.1,
        "start": str(tmp_path / "nothing"),
    }
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    done = CliRunner().invoke(main, ["train", str(tmp_path / "recipe.yaml")])
    assert done.exit_code == 1
    assert f"`start` is the preset {tmp_path}/nothing" in done.output
