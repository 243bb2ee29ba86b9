import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from captioner.commands import main


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_help_lists_the_commands_and_each_has_its_own():
    listed = run("--help").output
    for name in ("evaluate", "export", "info", "prepare", "train"):
        assert name in listed
        assert run(name, "--help").output.startswith("Usage:")


def test_unknown_command_is_a_usage_error():
    result = run("serve-coffee")
    assert result.exit_code == 2
    assert "No such command 'serve-coffee'" in result.output


@pytest.mark.parametrize("command", ["prepare", "train"])
def test_a_missing_file_is_a_usage_error(command, tmp_path):
    result = run(command, tmp_path / "absent", *(["--out", tmp_path] * (command == "prepare")))
    assert result.exit_code == 2
    assert "does not exist" in result.output


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
    assert "config.yaml, stage 1: missing" in result.output


def test_train_says_how_to_make_the_features(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    rows = [{"image": "a.png", "caption": "a dog", "split": split} for split in ("train",)]
    (tmp_path / "captions.jsonl").write_text("\n".join(map(json.dumps, rows)))
    stage = "{name: a, epochs: 1, learning_rate: 0.1, trainable_from: block5}"
    (tmp_path / "config.yaml").write_text(
        f"dataset: {tmp_path}/captions.jsonl\nfeatures: {tmp_path}/none\nrun: {tmp_path}/run\n"
        f"min_count: 1\nencoder: {{weights: null}}\nstages: [{stage}]\n"
    )
    result = run("train", tmp_path / "config.yaml")
    assert result.exit_code == 1
    assert "make it with `captioner prepare`" in result.output
