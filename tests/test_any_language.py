"""A preset of pieces of words, from its files to what people see."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from captioner.captioner import Captioner
from captioner.captioning import CaptionHead
from captioner.cli import main
from captioner.cli.caption import main as caption
from captioner.errors import CaptionerError
from captioner.presets.checksums import write_checksums
from captioner.presets.growth import grow_vocabulary
from captioner.presets.storage import read_preset, write_preset
from captioner.text.subwords import Subwords

ROOT = Path(__file__).parents[1]
# As many pieces as the tiny preset has words.
PIECES = ("un", "l'", "chi", "##en", "##s", "é", "##t", "##oile", "红", "色", "eau", "noir")


@pytest.fixture(scope="module")
def preset(tiny_preset, tmp_path_factory):
    """The folder of the tiny preset with pieces in the place of words."""
    words = read_preset(tiny_preset)
    folder = tmp_path_factory.mktemp("presets") / "pieces"
    vocabulary = Subwords(dict.fromkeys(PIECES, 5), most_pieces=24)
    write_preset(folder, replace(words, vocabulary=vocabulary))
    return folder


@pytest.fixture
def picture(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def read_config(folder):
    return json.loads((folder / "config.json").read_text(encoding="utf-8"))


def captions(preset, **options):
    """The best six sentences of the preset about some features."""
    rng = np.random.default_rng(1)
    head = CaptionHead.from_presets([read_preset(preset)], "float32", "openvino")
    features = [rng.random((1, 49, 32), np.float32) for _ in range(3)]
    for found in head.caption_features(features, num_captions=6, **options):
        yield from (found, *found.alternatives)


def test_old_presets_are_as_they_were_and_new_ones_tell_older_versions(preset, tiny_preset):
    old, new = read_config(tiny_preset), read_config(preset)
    assert old["format"] == 1 and "tokenizer" not in old
    assert new["format"] == 2
    assert new["tokenizer"] == {"name": "wordpiece", "most_pieces": 24, "keep_case": False}
    vocabulary = read_preset(preset).vocabulary
    assert vocabulary == Subwords(dict.fromkeys(PIECES, 5), most_pieces=24)
    assert type(read_preset(tiny_preset).vocabulary).__name__ == "Vocabulary"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "bytes", "most_pieces": 9, "keep_case": False}, "'bytes', not wordpiece"),
        ({"name": "wordpiece", "keep_case": False}, "tokenizer lacks most_pieces"),
        ({"name": "wordpiece", "most_pieces": 0, "keep_case": False}, "most_pieces is 0"),
        ({"name": "wordpiece", "most_pieces": 9, "keep_case": "no"}, "keep_case is 'no'"),
        ("wordpiece", "tokenizer is 'wordpiece', not an object"),
    ],
)
def test_odd_values_are_refused(preset, tmp_path, options, message):
    folder = tmp_path / "odd"
    write_preset(folder, read_preset(preset))
    config = {**read_config(folder), "tokenizer": options}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "SHA256SUMS").unlink()
    write_checksums(folder)
    with pytest.raises(CaptionerError, match=message):
        read_preset(folder)


def test_words_text_and_attention_belong_together(preset):
    several = 0
    for found in captions(preset, max_length=6):
        assert found.attention.shape[0] == len(found.words) <= 6
        np.testing.assert_allclose(found.attention.sum(axis=(1, 2)), 1, rtol=1e-4)
        assert found.text == read_preset(preset).vocabulary.join(found.words)
        assert not any("##" in word for word in found.words)
        several += any(word not in PIECES for word in found.words)
    assert several > 2  # some words are of several pieces


def test_the_attention_to_a_word_is_the_mean_over_its_pieces(preset):
    read = read_preset(preset)
    head = CaptionHead.from_presets([read], "float32", "openvino")
    features = np.random.default_rng(2).random((1, 49, 32), np.float32)
    found = head.caption_features([features], min_length=4)[0]
    ids = read.vocabulary.encode(found.words)
    memory, state = head.engine.begin(features[None], np.ones((1, 1), bool))
    token, maps = read.vocabulary.start_id, []
    penalty = np.zeros(len(read.vocabulary), np.float32)
    for id_ in ids:
        tokens = np.array([[token]], np.int32)
        _, _, state, attention = head.engine.step(tokens, state, memory, penalty, 1)
        maps.append(np.asarray(attention)[0, 0])
        token = id_
    start = 0
    for length, shown in zip(read.vocabulary.word_lengths(ids), found.attention, strict=True):
        mean = np.mean(maps[start : start + length], axis=0)
        np.testing.assert_allclose(shown, mean, rtol=2e-3, atol=1e-5)
        start += length


def test_rules_of_the_search_go_by_words(preset):
    assert any("é" in found.words for found in captions(preset))
    for found in captions(preset, never=["é", "红色"], min_length=3, max_length=5):
        assert 3 <= len(found.words) <= 5
        assert "é" not in found.words and "红色" not in found.text
    for found in captions(preset, no_repeat_ngram=1):
        assert len(set(found.words)) == len(found.words)


def test_gender_is_refused(preset, picture):
    done = CliRunner().invoke(caption, [str(picture), "--preset", str(preset), "--gender-neutral"])
    assert done.exit_code == 2 and "knows only English words: leave it" in done.stderr
    head = CaptionHead.from_presets([read_preset(preset)], "float32", "openvino")
    with pytest.raises(CaptionerError, match="knows only English words"):
        head.caption_features([np.zeros((1, 49, 32), np.float32)], gender_neutral=True)


def test_an_ensemble_needs_the_same_pieces(preset, tiny_preset):
    with pytest.raises(CaptionerError):
        Captioner([read_preset(preset), read_preset(tiny_preset)])


def test_the_command_without_tensorflow(preset, picture):
    code = (
        "import sys; from captioner.cli.caption import main\n"
        f"try: main([{str(picture)!r}, '--preset', {str(preset)!r}, '--json'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'tensorflow', 'keras', 'tensorflow_text', 'keras_hub'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.rstrip().endswith("[]"), done.stderr
    assert '"caption"' in done.stdout


def test_info_tells_pieces(preset):
    done = CliRunner().invoke(main, ["info", str(preset)])
    assert "16 subwords, special tokens included" in done.stdout
    assert "tokenizer   wordpiece (most_pieces 24, keep_case False)" in done.stdout


def test_new_characters_are_grown(preset):
    grown = grow_vocabulary(read_preset(preset), {"x": 2, "##x": 1, "##s": 1})
    assert isinstance(grown.vocabulary, Subwords) and grown.vocabulary.most_pieces == 24
    vectors = "decoder/embedding/embeddings"
    before = read_preset(preset)
    for piece in PIECES:
        old, new = before.vocabulary.words.index(piece), grown.vocabulary.words.index(piece)
        np.testing.assert_array_equal(grown.weights[vectors][new], before.weights[vectors][old])
