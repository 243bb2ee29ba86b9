import json

import pytest
from click.testing import CliRunner

from captioner.cli import main
from captioner.errors import CaptionerError
from captioner.models.vgg16 import VGG16Encoder
from captioner.text.vocabulary import Vocabulary
from captioner.training.caption_task import CaptionTask
from captioner.training.config import parse_config
from captioner.training.data_summary import least_count, word_summary
from captioner.training.epoch_samples import warnings_about


def config_for(folder, captions, **values):
    for n in range(len(captions)):
        (folder / f"{n}.jpg").write_bytes(b"")
    rows = [{"image": f"{n}.jpg", "caption": text} for n, text in enumerate(captions)]
    (folder / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    stage = {"name": "a", "epochs": 1, "learning_rate": 0.1}
    paths = {"dataset": str(folder / "t.jsonl"), "features": "features", "run": "run"}
    return parse_config({**paths, "stages": [stage], **values}, "config.yaml")


def test_of_twenty_captions_every_word_is_learnt(tmp_path):
    task = CaptionTask(config_for(tmp_path, [f"a dog and cat{n}" for n in range(20)]))
    assert len(task.vocabulary) == 4 + 3 + 16  # the captions of 16 images of train
    assert task.summary() == [
        "train 16, val 4, test 0 images",
        "19 words are learned, none is too rare",
    ]
    assert task.options(task.config.stages[0], None)["min_count"] == 1


def test_words_that_become_unknown_are_told(tmp_path):
    captions = [f"a dog and cat{n}" for n in range(20)]
    task = CaptionTask(config_for(tmp_path, captions, min_count=5))
    assert task.summary()[1] == (
        "3 words are learned; 16 others are too rare and become <unk>, 25.0 % of the text"
    )


def test_flickr8k_keeps_its_five():
    assert least_count(30_000) == 5
    counts = [least_count(n) for n in range(0, 40_000, 50)]
    assert counts == sorted(counts) and set(counts) == {1, 2, 3, 5}


def test_one_word_is_one():
    assert word_summary([["a"]], Vocabulary({"a": 1})) == "1 word is learned, none is too rare"
    assert word_summary([["a", "b"]], Vocabulary({"a": 1})) == (
        "1 word is learned; 1 other is too rare and becomes <unk>, 50.0 % of the text"
    )


@pytest.mark.parametrize(
    ("captions", "warned"),
    [
        (["a dog"] * 4, "all 4 val images get the same caption"),
        (["a dog"] * 3, None),  # which may be right
        (["a dog runs", "a dog"] * 10, "only 3 words describe 20 val images"),
        ([f"a dog number {n}" for n in range(20)], None),
    ],
)
def test_a_model_that_says_little_is_warned_of(captions, warned):
    lines = warnings_about({str(n): text for n, text in enumerate(captions)})
    assert (warned is None and lines == []) or (len(lines) == 1 and warned in lines[0])


def test_strict_refuses_what_else_is_left_out(tmp_path):
    config_for(tmp_path, ["a dog"] * 8)
    with (tmp_path / "t.jsonl").open("a") as file:
        file.write('\n{"image": "0.jpg", "caption": ""}\n')
    (tmp_path / "c.yaml").write_text(
        f"dataset: {tmp_path}/t.jsonl\nfeatures: {tmp_path}/f\nrun: {tmp_path}/run\n"
        "stages: [{name: a, epochs: 1, learning_rate: 0.1}]\n"
    )
    commands = (
        ["train", str(tmp_path / "c.yaml")],
        ["teach", str(tmp_path / "t.jsonl"), "--out", str(tmp_path / "mine")],
    )
    for command in commands:
        done = CliRunner().invoke(main, [*command, "--strict"])
        assert done.exit_code == 1
        assert "t.jsonl, line 9, has an empty caption" in done.stderr
        assert "correct them, or leave out --strict" in done.stderr
    assert not (tmp_path / "mine").exists() and not (tmp_path / "run").exists()


def test_without_a_network_the_bundled_vgg16_is_named(monkeypatch):
    def offline(**options):
        raise OSError("URL fetch failure: no network")

    monkeypatch.setattr("keras.applications.VGG16", offline)
    with pytest.raises(CaptionerError, match=r"--set encoder\.preset=vgg16_top_down") as refusal:
        VGG16Encoder(weights="imagenet")
    assert "no network" in str(refusal.value)
