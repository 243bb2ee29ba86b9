import json
from importlib import metadata
from pathlib import Path

from click.testing import CliRunner

from captioner.cli import main


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_help_lists_the_commands_and_each_has_its_own():
    listed = run("--help").output
    for name in ("evaluate", "export", "info", "prepare", "train"):
        assert name in listed
        text = run(name, "--help").output
        assert text.startswith("Usage:") and "\\b" not in text


def test_unknown_command_is_a_usage_error():
    result = run("serve-coffee")
    assert result.exit_code == 2
    assert "No such command 'serve-coffee'" in result.output


def test_a_missing_data_set_is_a_usage_error(tmp_path):
    result = run("prepare", tmp_path / "absent", "--out", tmp_path)
    assert result.exit_code == 2
    assert "does not exist" in result.output


def test_a_missing_recipe_is_told_with_the_names_of_the_bundled_ones(tmp_path):
    result = run("train", tmp_path / "absent.yaml")
    assert result.exit_code == 1
    assert "absent.yaml: give a YAML file, or one of " in result.output
    assert "vgg16_top_down" in result.output


def test_train_takes_a_bundled_recipe_and_settings(tmp_path):
    data = tmp_path / "none.csv"
    result = run("train", "vgg16_lrcn_flickr8k", "--dataset", data, "--set", "stages.2.epochs=1")
    assert result.exit_code == 1
    assert "--set stages.2.epochs=1: '2' is not one of frozen" in result.output
    result = run("train", "vgg16_lrcn_flickr8k", "--dataset", data, "--set", "stages.0.epochs=1")
    assert "none.csv" in result.output


def test_prepare_names_a_broken_data_set(tmp_path):
    (tmp_path / "dataset.json").write_text("{")
    result = run("prepare", tmp_path / "dataset.json", "--out", tmp_path / "store")
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert "dataset.json" in result.output
    assert not (tmp_path / "store").exists()


def test_prepare_names_missing_weights(tmp_path):
    (tmp_path / "captions.csv").write_text("image,caption\na.png,a dog\n")
    Path(tmp_path / "a.png").write_bytes(b"")
    result = run(
        "prepare", tmp_path / "captions.csv", "--out", tmp_path / "s", "--weights", "absent.h5"
    )
    assert result.exit_code == 1
    assert "absent.h5: there is no such file" in result.output


def test_train_names_a_wrong_key_of_the_config(tmp_path):
    (tmp_path / "config.yaml").write_text("epochs: 3\nstages: [{}]\n")
    result = run("train", tmp_path / "config.yaml")
    assert result.exit_code == 1
    assert "config.yaml: unknown key epochs" in result.output


def write_config(folder, name, text=""):
    (folder / "a.png").write_bytes(b"")
    row = {"image": "a.png", "caption": "a dog", "split": "train"}
    (folder / "captions.jsonl").write_text(json.dumps(row))
    (folder / name).write_text(
        f"dataset: {folder}/captions.jsonl\nfeatures: {folder}/features\nrun: {folder}/{name}.run\n"
        f"min_count: 1\nstages: [{{name: a, epochs: 1, learning_rate: 0.1}}]\n{text}"
    )
    return folder / name


def test_train_reads_all_configs_before_the_first_is_trained(tmp_path):
    first = write_config(tmp_path, "first.yaml")
    second = write_config(tmp_path, "second.yaml", "epochs: 3\n")
    result = run("train", first, second)
    assert result.exit_code == 1
    assert "second.yaml: unknown key epochs" in result.output
    assert not (tmp_path / "first.yaml.run").exists()


def test_train_takes_a_folder_of_the_run_for_one_config_alone(tmp_path):
    configs = [write_config(tmp_path, name) for name in ("first.yaml", "second.yaml")]
    result = run("train", *configs, "--run", tmp_path / "run")
    assert result.exit_code == 2
    assert "--run is for one recipe" in result.output


def test_train_names_missing_weights(tmp_path):
    result = run("train", write_config(tmp_path, "c.yaml"), "--weights", tmp_path / "absent.h5")
    assert result.exit_code == 1
    assert "absent.h5: there is no such file" in result.output


def test_ctrl_c_says_that_the_training_resumes(monkeypatch, tmp_path):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr("captioner.cli.train._read", lambda *arguments: interrupted)
    (tmp_path / "recipe.yaml").write_text("")
    result = CliRunner().invoke(main, ["train", str(tmp_path / "recipe.yaml")])
    assert result.exit_code == 130
    assert "the same command resumes" in result.output


def test_rows_that_are_left_out_are_told(tmp_path):
    (tmp_path / "captions.csv").write_text("image,caption\na.png,a dog\nb.png,\n,a cat\n")
    (tmp_path / "a.png").write_bytes(b"")
    result = run(
        "prepare", tmp_path / "captions.csv", "--out", tmp_path / "s", "--weights", "no.h5"
    )
    assert result.exit_code == 1
    assert "left out: " in result.stderr
    assert "line 3, has an empty caption" in result.stderr
    assert "line 4, has no image" in result.stderr


def test_each_command_has_its_own_entry_point():
    scripts = metadata.entry_points(group="console_scripts")
    ours = [entry for entry in scripts if entry.value.startswith("captioner.")]
    names = {entry.name: entry.load().name for entry in ours}
    assert names == {"caption": "caption", "captioner": "main"}
