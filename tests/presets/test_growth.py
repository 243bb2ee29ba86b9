import dataclasses

import numpy as np
import pytest

from captioner.errors import CaptionerError
from captioner.presets.growth import grow_vocabulary
from captioner.presets.network import build_network
from captioner.presets.storage import read_preset, write_preset


@pytest.fixture
def preset(tiny_preset):
    return read_preset(tiny_preset)


def logits(preset, words):
    encoder, decoder = build_network(preset)
    shape = (2, 1, encoder.locations, encoder.channels)
    features = np.random.default_rng(0).random(shape, "float32") * 5
    ids = [[[preset.vocabulary.start_id, *preset.vocabulary.encode(words)]]] * 2
    return np.asarray(decoder(features, np.array(ids)))[:, 0]  # (2, L, V)


def test_known_words_keep_their_logits(preset):
    words = list(preset.vocabulary.counts)[:3]
    grown = grow_vocabulary(preset, {"zebra": 10_000, "rex": 1, words[0]: 7})
    assert set(grown.vocabulary.words) == {*preset.vocabulary.words, "zebra", "rex"}
    assert grown.vocabulary.counts[words[0]] == preset.vocabulary.counts[words[0]] + 7
    before, after = logits(preset, words), logits(grown, words)
    columns = [grown.vocabulary.words.index(word) for word in preset.vocabulary.words]
    np.testing.assert_allclose(after[..., columns], before, atol=1e-5)


def test_a_grown_preset_predicts_the_same_after_it_was_written(preset, tmp_path):
    grown = grow_vocabulary(preset, {"zebra": 10_000, "rex": 1})
    write_preset(tmp_path / "grown", grown)
    words = list(preset.vocabulary.counts)[:3]
    np.testing.assert_array_equal(
        logits(read_preset(tmp_path / "grown"), words), logits(grown, words)
    )


def test_a_new_word_begins_as_likely_as_rare_ones(preset):
    grown = grow_vocabulary(preset, {"zebra": 3})
    after = logits(grown, [])
    rarest = [grown.vocabulary.words.index(word) for word in preset.vocabulary.words[4:]]
    zebra = after[..., grown.vocabulary.words.index("zebra")]
    np.testing.assert_allclose(zebra, after[..., rarest].mean(-1), atol=2e-3)


def test_nothing_new_changes_nothing(preset):
    grown = grow_vocabulary(preset, {})
    assert grown.vocabulary == preset.vocabulary
    for name, array in preset.weights.items():
        np.testing.assert_array_equal(grown.weights[name], array)


def test_eight_bits_are_refused(preset):
    weights = {name: array.astype(np.int8) for name, array in preset.weights.items()}
    with pytest.raises(CaptionerError, match="8-bit presets cannot be trained"):
        grow_vocabulary(dataclasses.replace(preset, weights=weights), {"a": 1})
