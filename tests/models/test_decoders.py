import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import numpy_decoders
import pytest

from captioner.errors import CaptionerError
from captioner.models.build import build_decoder

ATTENTIVE = ("show_attend_and_tell", "top_down")
NAMES = ("lrcn", "s2vt", "show_and_tell", *ATTENTIVE)
B, N, L, T, P, C, V = 3, 2, 5, 2, 6, 7, 11


def make(name, **options):
    keras.utils.set_random_seed(4)
    options = {"units": 8, "embedding_size": 9, **options}
    decoder = build_decoder(name, C, vocabulary_size=V, dtype="float32", **options)
    rng = np.random.default_rng(5)
    for variable in decoder.weights:  # biases and scales that are not 0 and 1
        variable.assign(rng.normal(0, 0.5, variable.shape))
    return decoder


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(6)
    features = rng.exponential(2.0, (B, T, P, C)).astype("float32")
    return features, rng.integers(0, V, (B, N, L)).astype("int32")


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_logits_equal_the_papers_equations(name, tied, batch):
    features, token_ids = batch
    decoder = make(name, tie_embeddings=tied, embedding_size=8)
    logits = np.asarray(decoder(features, token_ids))
    assert logits.shape == (B, N, L, V)
    for b in range(B):
        for n in range(N):
            expected, _ = getattr(numpy_decoders, name)(decoder, features[b], token_ids[b, n])
            np.testing.assert_allclose(logits[b, n], expected, atol=2e-5)


@pytest.mark.parametrize("name", NAMES)
def test_steps_equal_teacher_forcing(name, batch):
    features, token_ids = batch
    decoder = make(name)
    taught = np.asarray(decoder(features, token_ids))
    memory = decoder.encode(features)
    state = tuple(np.repeat(np.asarray(s), N, axis=1) for s in decoder.initial_state(memory))
    for position in range(L):
        logits, state, attention = decoder.step(token_ids[:, :, position], state, memory)
        np.testing.assert_allclose(np.asarray(logits), taught[:, :, position], atol=2e-5)
        if name in ATTENTIVE:
            assert attention.shape == (B, N, T, P)
            np.testing.assert_allclose(np.asarray(attention).sum((2, 3)), 1, atol=1e-5)
        else:
            assert attention is None


def test_deep_output_equals_the_papers_equations(batch):
    features, token_ids = batch
    decoder = make("top_down", deep_output=True)
    logits = np.asarray(decoder(features, token_ids))
    expected, _ = numpy_decoders.top_down(decoder, features[1], token_ids[1, 1])
    np.testing.assert_allclose(logits[1, 1], expected, atol=2e-5)
    memory = decoder.encode(features)
    stepped, _, _ = decoder.step(token_ids[:, :1, 0], decoder.initial_state(memory), memory)
    np.testing.assert_allclose(np.asarray(stepped)[:, 0], logits[:, 0, 0], atol=2e-5)


@pytest.mark.parametrize("name", ATTENTIVE)
def test_attention_equals_the_papers_equations(name, batch):
    features, token_ids = batch
    decoder = make(name)
    memory = decoder.encode(features)
    _, _, attention = decoder.step(token_ids[:, :1, 0], decoder.initial_state(memory), memory)
    _, expected = getattr(numpy_decoders, name)(decoder, features[1], token_ids[1, 0, :1])
    np.testing.assert_allclose(np.asarray(attention)[1, 0].ravel(), expected[0], atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_padding_frames_are_not_seen(name, batch):
    features, token_ids = batch
    decoder = make(name)
    mask = np.array([[True, False]] * B)
    masked = np.asarray(decoder(features, token_ids, frame_mask=mask))
    alone = np.asarray(decoder(features[:, :1], token_ids))
    np.testing.assert_allclose(masked, alone, atol=2e-5)
    assert np.abs(masked - np.asarray(decoder(features, token_ids))).max() > 0.01


@pytest.mark.parametrize("name", NAMES)
def test_sentences_of_a_picture_do_not_touch_each_other(name, batch):
    features, token_ids = batch
    decoder = make(name)
    both = np.asarray(decoder(features, token_ids))
    second = np.asarray(decoder(features, token_ids[:, 1:]))
    np.testing.assert_allclose(both[:, 1:], second, atol=2e-5)


@pytest.mark.parametrize("name", NAMES)
def test_dropout_acts_in_training_alone(name, batch):
    decoder = make(name)
    quiet = np.asarray(decoder(*batch))
    np.testing.assert_array_equal(quiet, np.asarray(decoder(*batch)))
    assert np.abs(quiet - np.asarray(decoder(*batch, training=True))).max() > 0.01


@pytest.mark.parametrize("name", NAMES)
def test_bfloat16_stays_close(name, batch):
    exact = make(name)
    rough = build_decoder(
        name, C, vocabulary_size=V, units=8, embedding_size=9, dtype="mixed_bfloat16"
    )
    for mine, yours in zip(exact.weights, rough.weights, strict=True):
        yours.assign(mine)
    logits = rough(*batch)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    np.testing.assert_allclose(np.asarray(logits), np.asarray(exact(*batch)), atol=0.15)


_ELSEWHERE = """
import json, sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from test_decoders import NAMES, make
from keras import ops
given = json.load(sys.stdin)
features, token_ids = np.array(given["features"], "float32"), np.array(given["token_ids"], "int32")
result = {}
for name in NAMES:
    logits = make(name)(ops.convert_to_tensor(features), ops.convert_to_tensor(token_ids))
    result[name] = ops.convert_to_numpy(logits).tolist()
print(json.dumps(result))
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_give_equal_numbers(batch, backend):
    pytest.importorskip(backend, reason="jax is in the dev extra, torch in peers")
    features, token_ids = batch
    process = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE, str(Path(__file__).parent)],
        input=json.dumps({"features": features.tolist(), "token_ids": token_ids.tolist()}),
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=True,
    )
    for name, logits in json.loads(process.stdout).items():
        np.testing.assert_allclose(logits, np.asarray(make(name)(features, token_ids)), atol=2e-5)


def test_unknown_decoder_or_option_is_named():
    with pytest.raises(CaptionerError, match="choose one of lrcn, s2vt, show_and_tell, show_att"):
        build_decoder("transformer", C, vocabulary_size=V)
    with pytest.raises(CaptionerError, match="heads"):
        build_decoder("top_down", C, vocabulary_size=V, heads=8)
    with pytest.raises(CaptionerError, match="units equal to embedding_size, not 8 and 9"):
        make("lrcn", tie_embeddings=True)
    assert make("lrcn", layers=1).units == 8  # as presets of version 0.1.0 have it
    with pytest.raises(CaptionerError, match="several LSTM layers"):
        make("lrcn", layers=2)


def test_tying_spares_a_matrix_and_trains_the_word_vectors():
    tied, free = (make("show_and_tell", tie_embeddings=t, embedding_size=8) for t in (True, False))
    assert free.count_params() - tied.count_params() == 8 * V
    assert len({v.path for v in tied.trainable_variables}) == len(tied.trainable_variables)


@pytest.mark.parametrize(("tied", "size"), [(False, 1.0), (True, 0.05 / 3**0.5)])
def test_word_vectors_begin_as_large_as_what_stands_beside_them(tied, size):
    keras.utils.set_random_seed(4)
    decoder = build_decoder(
        "lrcn", 8, vocabulary_size=99, units=64, embedding_size=64, tie_embeddings=tied
    )
    assert np.asarray(decoder.embedding.embeddings).std() == pytest.approx(size, rel=0.05)


def test_show_and_tell_begins_with_a_long_memory():
    decoder = build_decoder("show_and_tell", 8, vocabulary_size=9, units=4, embedding_size=6)
    gates = np.asarray(decoder.word_lstm.bias).reshape(4, 4)  # input, forget, candidate, output
    np.testing.assert_array_equal(gates, [[0] * 4, [3] * 4, [0] * 4, [0] * 4])


def test_presence_equals_its_equations(batch):
    features, token_ids = batch
    decoder = make("top_down", deep_output=True, presence=6)
    logits = np.asarray(decoder(features, token_ids))
    expected, _ = numpy_decoders.top_down(decoder, features[1], token_ids[1, 1])
    np.testing.assert_allclose(logits[1, 1], expected, atol=2e-5)


def test_presence_that_is_given_takes_the_place_of_what_is_found(batch):
    features, token_ids = batch
    decoder = make("top_down", deep_output=True, presence=6)
    found = 1 / (1 + np.exp(-np.asarray(decoder.presence(features))))
    plain = np.asarray(decoder(features, token_ids))
    given = np.where(np.arange(6) < 3, found, -1).astype("float32")
    told = np.asarray(decoder(features, token_ids, presence=given))
    np.testing.assert_allclose(told, plain, atol=2e-5)
    other = np.asarray(decoder(features, token_ids, presence=1 - found))
    assert np.abs(other - plain).max() > 0.01


def test_words_can_be_learnt_without_an_image(batch):
    features, token_ids = batch
    decoder = make("top_down", deep_output=True, presence=6)
    mask = np.array([[True, True]] * (B - 1) + [[False, False]])
    given = np.full((B, 6), -1, "float32")
    given[-1] = 0.5
    logits = np.asarray(decoder(features, token_ids, frame_mask=mask, presence=given))
    assert np.isfinite(logits).all()
    nothing = np.asarray(
        decoder(np.zeros_like(features), token_ids, frame_mask=mask & False, presence=given)
    )
    assert np.isfinite(nothing).all()
    # With an image, what is told changes nothing for the others; without, all rests on it.
    np.testing.assert_allclose(logits[:-1], np.asarray(decoder(*batch))[:-1], atol=2e-5)


def test_presence_is_not_trained_by_the_next_word(batch):
    import tensorflow as tf

    features, token_ids = batch
    decoder = make("top_down", deep_output=True, presence=6)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(decoder(features, token_ids) ** 2)
    detector = tape.gradient(loss, [v.value for v in decoder.presence.trainable_variables])
    assert detector == [None] * 4
    with pytest.raises(CaptionerError, match="deep_output"):
        make("top_down", presence=6)
