"""Trainings of pieces of words: what is learnt, and that the whole road leads to right captions."""

import csv
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from captioner.captioner import Captioner
from captioner.cli import main
from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.mixture import DataConfig, Mixture, Part
from captioner.errors import CaptionerError
from captioner.presets.storage import read_preset
from captioner.text.subwords import GOES_ON, Subwords, split_words
from captioner.training.config import parse_config
from captioner.training.stage_options import caption_options
from captioner.training.subword_training import split_captions, train_subwords
from captioner.training.trainer import Trainer

pytestmark = pytest.mark.slow

pytest.importorskip("tensorflow_text")
ROOT = Path(__file__).parents[2]
FRENCH = [
    "Un carré rouge sur l'herbe.", "Deux carrés noirs sur l'herbe.", "Une étoile dans l'eau.",
    "Des étoiles noires dans l'eau.", "Un cercle rouge, des cercles rouges.",
]  # fmt: skip


def test_what_is_learnt_writes_every_caption():
    captions = [split_words(caption) for caption in FRENCH * 3]
    vocabulary = train_subwords(captions, size=60, min_count=1)
    for caption in captions:
        ids = vocabulary.encode(caption)
        assert vocabulary.unk_id not in ids and vocabulary.decode(ids) == caption
        assert len(ids) <= vocabulary.most_pieces
    used = sum(len(vocabulary.encode(caption)) for caption in captions)
    assert sum(vocabulary.counts.values()) == used
    assert {"l'", "carré", f"{GOES_ON}s"} <= set(vocabulary.words)
    # All its characters, so that words which are not in the captions can be written.
    assert vocabulary.decode(vocabulary.encode(["cerné"])) == ["cerné"]


def test_rare_characters_make_a_word_unknown():
    captions = [["rouge"]] * 5 + [["rôti"]]
    vocabulary = train_subwords(captions, size=60, min_count=5)
    assert vocabulary.decode(vocabulary.encode(["rôti", "rouge"])) == ["<unk>", "rouge"]
    with pytest.raises(CaptionerError, match="characters that occur 7 times"):
        train_subwords(captions, size=60, min_count=7)


def test_a_chinese_caption_is_made_of_its_characters():
    captions = [split_words("草地上有一个红色的圆形。")] * 3
    vocabulary = train_subwords(captions, size=60, min_count=1)
    assert set(vocabulary.counts) == set("草地上有一个红色的圆形")
    assert vocabulary.most_pieces == 11


def test_without_tensorflow_text_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_text", None)
    with pytest.raises(CaptionerError, match="needs tensorflow_text: `pip install tensorflow-text"):
        train_subwords([["a"]], size=9, min_count=1)


def test_captions_are_split_anew():
    example = Example("1", "1.png", ("L'eau.",), (("leau",),), "train")
    mixture = Mixture([Part(DataConfig("x"), Dataset("mine", (example,), ("line 2",)))])
    split = split_captions(mixture, keep_case=True)
    assert split.split("train")[0] == replace(example, tokens=(("L'", "eau"),))
    assert split.dataset.faults == ("line 2",)
    assert split.dataset.fingerprint() == mixture.dataset.fingerprint()


def recipe(**changes):
    return {
        "dataset": "x", "features": "f", "run": "r", **changes,
        "stages": [{"name": "one", "epochs": 1, "learning_rate": 0.01}],
    }  # fmt: skip


def test_recipes_are_checked():
    with pytest.raises(CaptionerError, match="tokenizer should be 'words' or 'wordpiece'"):
        parse_config(recipe(tokenizer="bpe"), "r.yaml")
    with pytest.raises(CaptionerError, match="pieces should be greater than or equal to 1"):
        parse_config(recipe(pieces=0), "r.yaml")


def test_runs_that_were_begun_before_go_on():
    example = Example("1", "1.png", ("a dog",), (("a", "dog"),), "train")
    mixture = Mixture([Part(DataConfig("x"), Dataset("mine", (example,)))])
    vocabulary = Subwords({"a": 1})
    for changes, named in (({}, False), ({"tokenizer": "wordpiece"}, True)):
        config = parse_config(recipe(**changes), "r.yaml")
        options = caption_options(config, config.stages[0], mixture, vocabulary, None)
        assert ("tokenizer" in options) == named and "pieces" not in options


@pytest.fixture(scope="module")
def trained(tiny_preset, tmp_path_factory):
    """A training of a few steps, on captions and then self-critically, and its preset."""
    folder = tmp_path_factory.mktemp("french")
    rng = np.random.default_rng(0)
    rows = [("image", "caption")]
    for number in range(10):
        pixels = rng.integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        rows.append((f"{number}.png", FRENCH[number % len(FRENCH)]))
    with (folder / "fr.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    shared = {"epochs": 1, "batch_size": 4, "warmup_steps": 1, "label_smoothing": 0}
    config = {
        "dataset": str(folder / "fr.csv"),
        "features": str(folder / "features"),
        "run": str(folder / "run"),
        "encoder": {"preset": str(tiny_preset)},
        "decoder": {"name": "top_down", "units": 16, "embedding_size": 16, "deep_output": True,
                    "presence": 4},
        "tokenizer": "wordpiece",
        "pieces": 40,
        "min_count": 1,
        "max_length": 7,
        "captions_per_image": 1,
        "precision": "float32",
        "stages": [
            {"name": "presence", "objective": "presence", "learning_rate": 0.01, **shared},
            {"name": "frozen", "learning_rate": 0.01, **shared},
            {"name": "scst", "objective": "self_critical", "learning_rate": 0.001, "samples": 2,
             **shared},
        ],
    }  # fmt: skip
    return folder, Trainer(parse_config(config, "config"), report=lambda line: None).train()


def test_a_training_makes_a_preset_of_pieces(trained):
    folder, best = trained
    preset = read_preset(best)
    assert isinstance(preset.vocabulary, Subwords)
    assert preset.config["tokenizer"]["name"] == "wordpiece"
    assert preset.config["generation"]["max_length"] == 7  # words
    assert preset.vocabulary.most_pieces >= 7
    # Word presence is about words, whatever the tokens are.
    assert all(not word.startswith(GOES_ON) for word in preset.config["presence_words"])
    caption = next(iter(Captioner.from_preset(best).stream([folder / "0.png"])))
    assert len(caption.words) <= 7 and caption.attention.shape[0] == len(caption.words)


def test_it_is_taught_words_of_known_and_of_new_characters(trained, monkeypatch):
    from captioner.training import teaching

    folder, best = trained
    monkeypatch.setattr(teaching, "_STEPS", 2)
    monkeypatch.setattr(teaching, "_EPOCHS", 1)
    table = folder / "new.csv"
    rows = [f"{number}.png,Rex à l'ouest dans l'eau" for number in range(6)]
    table.write_text("\n".join(["image,caption", *rows]), encoding="utf-8")
    taught = teaching.teach(table, folder / "mine", preset=best, report=lambda line: None)
    after = read_preset(taught.preset).vocabulary
    assert isinstance(after, Subwords)
    # "rex" is written with pieces that are known; no caption before had an "à".
    assert "à" in taught.new_words and not {"rex", "eau"} & set(taught.new_words)
    assert after.decode(after.encode(["rex", "à", "ouest"])) == ["rex", "à", "ouest"]
    assert set(read_preset(best).vocabulary.words) < set(after.words)


def test_evaluation_says_that_meteor_is_english_only(trained):
    from click.testing import CliRunner

    folder, best = trained
    command = ["evaluate", "--preset", str(best), "--dataset", str(folder / "fr.csv")]
    done = CliRunner().invoke(main, [*command, "--split", "val", "--tokenization", "unicode"])
    assert done.exit_code == 0, done.output
    assert "METEOR was left out: it supports only English" in done.stdout
