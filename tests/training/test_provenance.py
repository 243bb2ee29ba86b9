import json
import subprocess

from click.testing import CliRunner

from captioner.cli import main
from captioner.exports.soup import average_presets
from captioner.presets.storage import read_preset, write_preset
from captioner.training import card as provenance
from captioner.training.card import current_commit, describe_training

OPTIONS = {"seed": 7, "data": {"dataset": {"content": "ab" * 32, "weight": 1.0}}}


def test_it_is_the_same_again_and_fits_json():
    one, other = (describe_training(OPTIONS, "frozen", {"CIDEr": 0.5}) for _ in range(2))
    assert json.loads(json.dumps(one)) == one == other
    assert one["versions"]["keras"] and one["versions"]["python"]


def test_the_commit_is_that_of_a_checkout_alone(monkeypatch, tmp_path):
    def git(*arguments):
        settings = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(
            ["git", *settings, *arguments], cwd=tmp_path, check=True, capture_output=True
        )

    module = tmp_path / "captioner" / "training" / "provenance.py"
    module.parent.mkdir(parents=True)
    (tmp_path / "captioner" / "__init__.py").write_text("")
    monkeypatch.setattr(provenance, "__file__", str(module))
    current_commit.cache_clear()
    assert current_commit() is None
    git("init")
    (tmp_path / "other.txt").write_text("")
    git("add", "other.txt")
    git("commit", "-m", "something else")
    current_commit.cache_clear()
    assert current_commit() is None  # installed within a repository of something else
    git("add", ".")
    git("commit", "-m", "captioner")
    current_commit.cache_clear()
    clean = current_commit()
    assert len(clean) == 40
    (tmp_path / "captioner" / "__init__.py").write_text("changed")
    current_commit.cache_clear()
    assert current_commit() == f"{clean}+changes"
    current_commit.cache_clear()


def test_info_prints_what_a_preset_knows(tiny_preset, tmp_path):
    preset = read_preset(tiny_preset)
    training = describe_training(OPTIONS, "frozen", {"CIDEr": 0.505})
    preset.config["training"] = training
    write_preset(tmp_path / "mine", preset)
    text = CliRunner().invoke(main, ["info", str(tmp_path / "mine")]).stdout
    assert f"data        dataset sha256 {'ab' * 8}" in text
    assert "seed        7" in text and "validation  CIDEr 50.5" in text
    assert f"versions    python {training['versions']['python']}" in text
    facts = CliRunner().invoke(main, ["info", "--json", str(tmp_path / "mine")]).stdout
    assert json.loads(facts)["training"] == training
    mean = average_presets([preset, preset])
    assert "training" not in mean.config  # it is that of neither
