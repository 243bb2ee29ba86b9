import keras
import numpy as np
import numpy_decoders
import pytest

from captioner.models.build import build_decoder
from captioner.text.vocabulary import Vocabulary
from captioner.training.caption_model import CaptionModel, NextWordLoss

T, P, C, V = 2, 6, 7, 11
# Two sentences of a clip, one and none of the next; padding is 0.
CAPTIONS = np.array(
    [[[1, 4, 5, 2], [1, 6, 0, 0]], [[1, 7, 8, 0], [0, 0, 0, 0]]], "int32"
)  # (B, N, L)
MASK = np.array([[True, True], [True, False]])


@pytest.fixture
def features():
    return np.random.default_rng(6).exponential(2.0, (2, T, P, C)).astype("float32")


def make(weight):
    decoder = build_decoder(
        "show_attend_and_tell", C, vocabulary_size=V, units=8, embedding_size=9,
        attention_units=5, dropout=0.0, doubly_stochastic=weight,
    )  # fmt: skip
    rng = np.random.default_rng(5)
    for variable in decoder.weights:
        variable.assign(rng.normal(0, 0.5, variable.shape))
    return decoder


def expected_term(decoder, features):
    """Equation 14 over real words and real frames, divided by the number of words."""
    total = 0.0
    for clip, sentences, mask in zip(features, CAPTIONS, MASK, strict=True):
        for sentence in sentences:
            words = sentence[sentence != Vocabulary.pad_id]
            if len(words):
                _, attention = numpy_decoders.show_attend_and_tell(decoder, clip[mask], words)
                total += ((1 - attention.sum(0)) ** 2).sum()
    return total / np.count_nonzero(CAPTIONS)


def test_term_equals_the_papers_over_real_words_and_frames(features):
    decoder = make(0.5)
    decoder(features, CAPTIONS, frame_mask=MASK, training=True)
    (term,) = decoder.losses
    assert float(term) == pytest.approx(0.5 * expected_term(decoder, features), rel=1e-4)


def test_term_is_of_training_alone_and_can_be_left_out(features):
    decoder = make(1.0)
    decoder(features, CAPTIONS, frame_mask=MASK)
    assert decoder.losses == []
    decoder = make(0.0)
    decoder(features, CAPTIONS, frame_mask=MASK, training=True)
    assert decoder.losses == []


@pytest.mark.slow
def test_fit_adds_the_term_of_each_step_once(features):
    losses = []
    for weight in (0.0, 1.0):
        decoder = make(weight)
        model = CaptionModel(None, decoder)
        model.compile(keras.optimizers.SGD(0.0), NextWordLoss(), jit_compile=False)
        inputs = {"features": features[:1], "token_ids": CAPTIONS[:1]}
        targets = np.roll(CAPTIONS[:1], -1, axis=2)
        real = np.not_equal(CAPTIONS[:1], Vocabulary.pad_id).astype("float32")
        history = model.fit(inputs, targets, sample_weight=real, epochs=2, verbose=0)
        losses.append(history.history["loss"])
    attentions = [
        numpy_decoders.show_attend_and_tell(decoder, features[0], words[words != 0])[1]
        for words in CAPTIONS[0]
    ]
    term = sum(((1 - a.sum(0)) ** 2).sum() for a in attentions) / 6
    np.testing.assert_allclose(np.subtract(*losses[::-1]), [term, term], rtol=1e-4)
