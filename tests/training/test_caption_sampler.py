import numpy as np
import pytest
from keras import ops

from captioner.models.build import build_decoder
from captioner.text.vocabulary import Vocabulary
from captioner.training.self_critical import CaptionSampler

VOCABULARY = Vocabulary({"a": 3, "dog": 2, "runs": 1})
SPECIAL = (VOCABULARY.pad_id, VOCABULARY.start_id, VOCABULARY.unk_id)


@pytest.fixture(scope="module")
def decoder():
    import keras

    keras.utils.set_random_seed(3)
    options = {"vocabulary_size": len(VOCABULARY), "units": 8, "embedding_size": 8}
    decoder = build_decoder("top_down", channels=4, **options)
    for weight in decoder.weights:
        weight.assign(3 * weight)  # first weights are so small that all words are as probable
    return decoder


def test_words_come_as_often_as_the_decoder_says(decoder):
    features = np.random.default_rng(0).random((2, 1, 9, 4)).astype(np.float32)
    drawn = CaptionSampler(decoder, VOCABULARY, samples=4000, max_length=1).sample(features, seed=1)

    memory = decoder.encode(ops.convert_to_tensor(features))
    logits, state, _ = decoder.step(
        ops.full((2, 1), VOCABULARY.start_id, "int32"), decoder.initial_state(memory), memory
    )
    expected = probabilities(logits)  # (2, 1, V)
    found = frequencies(drawn[:, :, 0])
    np.testing.assert_allclose(found, expected[:, 0], atol=0.04)

    first = VOCABULARY.encode(["dog"])[0]
    logits, _, _ = decoder.step(ops.full((2, 1), first, "int32"), state, memory)
    for row in range(2):
        after = drawn[row, drawn[row, :, 0] == first, 1]
        np.testing.assert_allclose(
            frequencies(after[np.newaxis])[0], probabilities(logits)[row, 0], atol=0.09
        )


def test_after_the_end_there_is_nothing_but_padding(decoder):
    drawn = CaptionSampler(decoder, VOCABULARY, samples=200, max_length=6).sample(
        np.ones((3, 1, 9, 4), np.float32), seed=2
    )
    assert drawn.shape == (3, 200, 7)
    ended = 0
    for ids in drawn.reshape(-1, 7):
        places = np.flatnonzero(ids == VOCABULARY.end_id)
        assert len(places) <= 1
        length = places[0] if len(places) else 7
        assert not np.isin(ids[:length], SPECIAL).any()
        assert (ids[length + 1 :] == VOCABULARY.pad_id).all()
        ended += len(places)
    assert ended > 0


def test_equal_seeds_draw_equal_sentences(decoder):
    sampler = CaptionSampler(decoder, VOCABULARY, samples=5, max_length=6)
    features = np.ones((2, 1, 9, 4), np.float32)
    first, second, other = (sampler.sample(features, seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


@pytest.mark.slow
def test_padding_frames_change_nothing(decoder):
    sampler = CaptionSampler(decoder, VOCABULARY, samples=5, max_length=6)
    features = np.random.default_rng(1).random((2, 2, 9, 4)).astype(np.float32)
    mask = np.array([[True, False]] * 2)
    alone = sampler.sample(features[:, :1], seed=4)
    np.testing.assert_array_equal(sampler.sample(features, seed=4, frame_mask=mask), alone)
    assert (sampler.sample(features, seed=4) != alone).any()


def probabilities(logits):
    values = np.exp(np.asarray(logits, np.float64))
    values[..., SPECIAL] = 0
    return values / values.sum(-1, keepdims=True)


def frequencies(ids):
    return np.stack([np.bincount(row, minlength=len(VOCABULARY)) / len(row) for row in ids])
