import keras
import numpy as np
import pytest

from captioner.engines.ensemble import EnsembleEngine
from captioner.engines.keras import KerasEngine
from captioner.models.build import build_decoder
from captioner.models.vgg16 import VGG16Encoder
from captioner.search.search import search_captions
from captioner.text.vocabulary import Vocabulary

VOCABULARY = Vocabulary(dict.fromkeys(["a", "dog", "cat", "runs", "sits", "on", "the", "grass"], 1))
NAMES = ("top_down", "show_and_tell", "top_down")


@pytest.fixture(scope="module")
def decoders():
    keras.utils.set_random_seed(5)
    size = {"vocabulary_size": len(VOCABULARY), "units": 16, "embedding_size": 16}
    rng = np.random.default_rng(3)
    built = [build_decoder(name, 512, **size, dtype="float32") for name in NAMES]
    for decoder in built:
        for variable in decoder.weights:
            variable.assign(rng.normal(0, 0.4, variable.shape))
    return built


@pytest.fixture(scope="module")
def engines(decoders):
    encoder = VGG16Encoder(weights=None, dtype="float32")
    return [KerasEngine(encoder, decoder) for decoder in decoders]


@pytest.fixture(scope="module")
def features():
    return np.random.default_rng(1).exponential(1.0, (4, 2, 49, 1024)).astype("float32")


@pytest.mark.slow
def test_words_have_the_mean_of_the_probabilities(decoders, engines, features):
    mask = np.array([[True, True], [True, False], [True, True], [True, False]])
    ensemble = EnsembleEngine(engines, [0, 0, 2])
    found = search_captions(
        ensemble, VOCABULARY, features, mask, beam_width=4, num_captions=3, max_length=6
    )
    for row, hypotheses in enumerate(found):
        assert len(hypotheses) == 3
        for hypothesis in hypotheses:
            ids = [VOCABULARY.start_id, *hypothesis.token_ids, VOCABULARY.end_id]
            probabilities = np.mean(
                [
                    keras.ops.softmax(
                        decoder(
                            features[row : row + 1, ..., part : part + 512],
                            np.array([[ids[:-1]]], "int32"),
                            frame_mask=mask[row : row + 1],
                        )
                    )[0, 0]
                    for decoder, part in zip(decoders, (0, 0, 512), strict=True)
                ],
                axis=0,
            )  # (L, V)
            total = sum(np.log(probabilities[n, token]) for n, token in enumerate(ids[1:]))
            assert hypothesis.log_prob == pytest.approx(total, abs=1e-4)


def test_a_network_with_itself_says_what_it_says_alone(engines, features):
    own = features[..., :512]
    alone, doubled = (
        search_captions(engine, VOCABULARY, own, beam_width=3, max_length=6)
        for engine in (engines[0], EnsembleEngine([engines[0]] * 2, [0, 0]))
    )
    for one, two in zip(alone, doubled, strict=True):
        assert one[0].token_ids == two[0].token_ids
        assert one[0].log_prob == pytest.approx(two[0].log_prob, abs=1e-4)
        np.testing.assert_allclose(one[0].attention, two[0].attention, atol=1e-5)


def test_encoders_that_differ_run_once_each(engines):
    frames = np.random.default_rng(0).integers(0, 256, (1, 1, 224, 224, 3), dtype=np.uint8)
    single = engines[0].encode(frames)
    encoded = EnsembleEngine(engines, [0, 0, 2]).encode(frames)
    assert encoded.shape == (1, 1, 49, 1024)
    np.testing.assert_array_equal(encoded[..., :512], single)
