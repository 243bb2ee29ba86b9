import json
from dataclasses import replace
from pathlib import Path

import pytest

from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.mixture import DataConfig, Mixture, Part
from captioner.errors import CaptionerError
from captioner.text.vocabulary import Vocabulary
from captioner.training.config import ActivityConfig, StageConfig, TrainConfig
from captioner.training.stage_options import (
    activity_options,
    caption_options,
    forget_training,
    hold_options,
)

STAGE = StageConfig("frozen", epochs=3, learning_rate=1e-3)
CONFIG = TrainConfig("features", "run", (STAGE,), dataset="captions.csv")
VOCABULARY = Vocabulary({"dog": 2})


def mixture(caption="a dog", **settings):
    example = Example("1.jpg", "1.jpg", (caption,), (tuple(caption.split()),), "train")
    return Mixture([Part(DataConfig("x", **settings), Dataset("mine", (example,)))])


def options(config=CONFIG, stage=STAGE, data=None, words=VOCABULARY, start=None):
    return caption_options(config, stage, data or mixture(), words, start)


def preset(folder, sums="one"):
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text("{}")
    (folder / "SHA256SUMS").write_text(sums)
    return folder


CHANGES = {
    "seed 1, and now it is 2": lambda: options(replace(CONFIG, seed=2)),
    "stage.learning_rate 0.001, and now it is 0.01": lambda: options(
        stage=replace(STAGE, learning_rate=1e-2)
    ),
    "stage.epochs 3, and now it is 9": lambda: options(stage=replace(STAGE, epochs=9)),
    "decoder.dropout not given, and now it is 0.1": lambda: options(
        replace(CONFIG, decoder={"name": "top_down", "dropout": 0.1})
    ),
    "validation.beam_width 3, and now it is 5": lambda: options(
        replace(CONFIG, validation={"beam_width": 5, "length_power": 0.7})
    ),
    "data.dataset.content": lambda: options(data=mixture("a cat")),
    "data.dataset.weight 1.0, and now it is 2.0": lambda: options(data=mixture(weight=2.0)),
    "vocabulary": lambda: options(words=Vocabulary({"dog": 2, "cat": 1})),
    "min_count 1, and now it is 2": lambda: options(replace(CONFIG, min_count=2)),
}


@pytest.mark.parametrize("said", CHANGES)
def test_a_stage_is_continued_with_what_it_was_begun_with_alone(tmp_path, said):
    hold_options(tmp_path, options())
    (tmp_path / "checkpoint.safetensors").touch()
    hold_options(tmp_path, options())
    with pytest.raises(CaptionerError) as caught:
        hold_options(tmp_path, CHANGES[said]())
    assert f"{tmp_path} was started with {said}" in str(caught.value)
    assert "--restart" in str(caught.value) and "--run" in str(caught.value)
    hold_options(tmp_path, options())


def test_where_things_lie_and_how_long_to_wait_may_change(tmp_path):
    hold_options(tmp_path, options())
    (tmp_path / "checkpoint.safetensors").touch()
    moved = replace(CONFIG, features="elsewhere", run="moved", dataset="other.csv", images="x")
    moved = replace(moved, encoder={"weights": "other.h5"})
    hold_options(tmp_path, options(moved, replace(STAGE, patience=9)))


def test_a_stage_without_an_epoch_may_be_begun_with_others(tmp_path):
    hold_options(tmp_path, options())
    hold_options(tmp_path, options(replace(CONFIG, seed=2)))
    assert json.loads((tmp_path / "options.json").read_text())["seed"] == 2


def test_a_run_of_an_earlier_version_is_continued(tmp_path):
    (tmp_path / "checkpoint.safetensors").touch()
    hold_options(tmp_path, options())


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_a_damaged_record_is_named(tmp_path, content):
    (tmp_path / "checkpoint.safetensors").touch()
    (tmp_path / "options.json").write_text(content)
    with pytest.raises(CaptionerError, match=r"options\.json cannot be read"):
        hold_options(tmp_path, options())


def test_another_preset_under_the_same_name_is_another_start(tmp_path):
    start = preset(tmp_path / "start")
    teacher = preset(tmp_path / "teacher")
    stage = replace(STAGE, teachers=(str(teacher),), distillation=0.5)
    config = replace(CONFIG, encoder={"preset": str(teacher)})
    before = options(config, stage, start=start)
    assert options(config, stage, start=start) == before
    for folder in (start, teacher):
        preset(folder, "two")
        after = options(config, stage, start=start)
        assert after != before
        before = after


def test_activities_are_held_to_their_options_and_splits():
    examples = [
        Example(f"{x}{split}", f"{x}.mp4", x, split) for x in "ab" for split in ("train", "val")
    ]
    config = ActivityConfig("clips", "features", "run", 3, 1e-3)
    before = activity_options(config, Dataset("mine", tuple(examples)))
    assert activity_options(replace(config, mixup=0.1), Dataset("mine", tuple(examples))) != before
    examples[0] = replace(examples[0], split="test")
    assert activity_options(config, Dataset("mine", tuple(examples))) != before


def test_a_restart_deletes_what_the_training_made_and_nothing_else(tmp_path):
    stage = tmp_path / "run" / "frozen"
    for folder in (stage, stage / "features" / "coco", stage / "best", tmp_path / "run" / "other"):
        folder.mkdir(parents=True)
    made = [
        stage / "checkpoint.safetensors",
        stage / "options.json",
        stage / "log.csv",
        stage / "features" / "coco" / "features.npy",
        stage / "features" / "coco" / "index.json",
    ]
    kept = [
        stage / "notes.txt",
        stage / "best" / "config.json",
        tmp_path / "run" / "other" / "checkpoint.safetensors",
        tmp_path / "run" / "index.json",
    ]
    for path in made + kept:
        path.write_text("")
    forget_training(replace(CONFIG, run=str(tmp_path / "run")))
    assert not any(map(Path.exists, made))
    assert all(map(Path.exists, kept))
    activity = ActivityConfig("clips", "features", str(stage), 3, 1e-3)
    (stage / "options.json").write_text("")
    forget_training(activity)
    assert not (stage / "options.json").exists()
    assert all(map(Path.exists, kept))
