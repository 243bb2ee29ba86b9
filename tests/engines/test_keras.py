import keras
import numpy as np
import pytest

from captioner.engines.keras import KerasEngine
from captioner.models.build import build_decoder
from captioner.models.vgg16 import VGG16Encoder
from captioner.search.search import search_captions
from captioner.text.vocabulary import Vocabulary

VOCABULARY = Vocabulary(dict.fromkeys(["a", "dog", "cat", "runs", "sits", "on", "the", "grass"], 1))


@pytest.fixture(scope="module", params=["top_down", "show_and_tell"])
def parts(request):
    keras.utils.set_random_seed(3)
    encoder = VGG16Encoder(weights=None, dtype="float32")
    decoder = build_decoder(
        request.param,
        512,
        vocabulary_size=len(VOCABULARY),
        units=16,
        embedding_size=16,
        dtype="float32",
    )
    rng = np.random.default_rng(2)
    for variable in decoder.weights:
        variable.assign(rng.normal(0, 0.4, variable.shape))
    return KerasEngine(encoder, decoder), encoder, decoder


@pytest.fixture(scope="module")
def features():
    return np.random.default_rng(1).exponential(1.0, (4, 2, 49, 512)).astype("float32")


@pytest.mark.slow
def test_encodes_as_the_encoder_does(parts):
    engine, encoder, _ = parts
    frames = np.random.default_rng(0).integers(0, 256, (1, 2, 224, 224, 3), dtype=np.uint8)
    np.testing.assert_allclose(engine.encode(frames), np.asarray(encoder(frames)), atol=1e-6)


@pytest.mark.slow
def test_what_the_search_says_is_what_teacher_forcing_scores(parts, features):
    engine, _, decoder = parts
    mask = np.array([[True, True], [True, False], [True, True], [True, False]])
    found = search_captions(
        engine, VOCABULARY, features, mask, beam_width=4, num_captions=3, max_length=6
    )
    for row, hypotheses in enumerate(found):
        assert len(hypotheses) == 3
        for hypothesis in hypotheses:
            ids = [VOCABULARY.start_id, *hypothesis.token_ids, VOCABULARY.end_id]
            logits = decoder(
                features[row : row + 1],
                np.array([[ids[:-1]]], "int32"),
                frame_mask=mask[row : row + 1],
            )
            log_probs = np.asarray(keras.ops.log_softmax(logits))[0, 0]
            total = sum(log_probs[n, token] for n, token in enumerate(ids[1:]))
            assert hypothesis.log_prob == pytest.approx(total, abs=1e-4)
            if hypothesis.attention is not None:
                assert hypothesis.attention.shape == (len(hypothesis.token_ids), 2, 49)
                hidden = hypothesis.attention[:, ~mask[row]]
                assert hidden.size == 0 or hidden.max() < 1e-6


@pytest.mark.slow
def test_a_batch_gives_what_one_at_a_time_gives(parts, features):
    engine, *_ = parts
    options = {"beam_width": 3, "max_length": 6}
    together = search_captions(engine, VOCABULARY, features, **options)
    for row in range(4):
        alone = search_captions(engine, VOCABULARY, features[row : row + 1], **options)[0][0]
        assert alone.token_ids == together[row][0].token_ids
        assert alone.log_prob == pytest.approx(together[row][0].log_prob, abs=1e-4)


def test_special_tokens_are_never_said(parts, features):
    engine, *_ = parts
    found = search_captions(engine, VOCABULARY, features, beam_width=5, num_captions=5)
    for hypothesis in (h for hypotheses in found for h in hypotheses):
        assert min(hypothesis.token_ids, default=4) > VOCABULARY.unk_id


def test_weights_that_change_are_seen(parts, features):
    engine, _, decoder = parts
    before = search_captions(engine, VOCABULARY, features)[0][0].log_prob
    bias = decoder.word_logits.bias
    kept = np.asarray(bias)
    bias.assign(kept + np.linspace(0, 3, len(kept)))
    after = search_captions(engine, VOCABULARY, features)[0][0].log_prob
    bias.assign(kept)
    assert before != after


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="it is TensorFlow that warns")
def test_an_engine_for_each_stage_of_a_training_is_not_taken_for_retracing(parts, features, caplog):
    _, encoder, decoder = parts
    mask = np.ones((4, 2), bool)
    for images in (4, 3, 2):
        engine = KerasEngine(encoder, decoder)
        search_captions(engine, VOCABULARY, features[:images], mask[:images], max_length=3)
    assert "retracing" not in caplog.text
