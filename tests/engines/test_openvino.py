import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from captioner import Captioner, CaptionerError
from captioner.datasets.readers import read_dataset
from captioner.engines.keras import KerasEngine
from captioner.engines.openvino import OpenVINOEngine
from captioner.exports.graphs import with_graphs
from captioner.models.build import build_decoder
from captioner.models.vgg16 import VGG16Encoder
from captioner.presets.network import build_network, capture_weights
from captioner.presets.storage import DEFAULT_PRESET, Preset, bundled_presets, read_preset
from captioner.search.search import search_captions
from captioner.text.vocabulary import Vocabulary

SAMPLES = sorted(Path("data/samples").glob("*.jpg"))
VOCABULARY = Vocabulary(dict.fromkeys(["a", "dog", "cat", "runs", "sits", "on", "the", "grass"], 1))


DECODERS = [
    {"name": "lrcn", "units": 12, "tie_embeddings": True},
    {"name": "s2vt"},
    {"name": "show_and_tell"},
    {"name": "show_attend_and_tell", "attention_units": 5},
    {"name": "top_down"},
    {"name": "top_down", "deep_output": True},
]


@pytest.fixture(scope="module", params=DECODERS, ids=lambda options: options["name"])
def engines(request):
    """The two engines on one network in float32."""
    keras.utils.set_random_seed(5)
    encoder = VGG16Encoder(weights=None)
    options = {"units": 16, "embedding_size": 12, **request.param}
    decoder = build_decoder(**options, channels=512, vocabulary_size=len(VOCABULARY))
    weights = capture_weights(encoder, decoder)
    rng = np.random.default_rng(4)
    for name, array in weights.items():
        if name.startswith("decoder/"):
            weights[name] = rng.normal(0, 0.4, array.shape).astype(np.float16)
    config = {"encoder": {"grid": 7}, "decoder": options, "generation": {}}
    preset = with_graphs(Preset(config, VOCABULARY, weights, ""))
    return KerasEngine(*build_network(preset)), OpenVINOEngine(preset.graphs, preset.weights)


def test_pictures_are_seen_alike(tiny_preset):
    preset = read_preset(tiny_preset)
    engines = KerasEngine(*build_network(preset)), OpenVINOEngine(preset.graphs, preset.weights)
    frames = np.random.default_rng(0).integers(0, 256, (2, 2, 224, 224, 3), dtype=np.uint8)
    expected, found = (engine.encode(frames) for engine in engines)
    assert expected.max() > 0.1
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert engines[1].image_size == engines[0].image_size == (224, 224)


@pytest.mark.slow
def test_every_step_is_alike(engines):
    features = np.random.default_rng(1).exponential(1.0, (3, 2, 49, 512)).astype("float32")
    mask = np.array([[True, True], [True, False], [True, True]])
    penalty = np.zeros(len(VOCABULARY), np.float32)
    penalty[[0, 1, 3]] = -np.inf
    memories, states = zip(*(engine.begin(features, mask) for engine in engines), strict=True)
    states = [tuple(np.repeat(part, 2, axis=1) for part in state) for state in states]
    token_ids = np.full((3, 2), 1, np.int32)
    token_ids[:, 1] = 5  # two sentences that differ
    for count in (4, 1, 9):
        steps = [
            engine.step(token_ids, state, memory, penalty, count)
            for engine, state, memory in zip(engines, states, memories, strict=True)
        ]
        for one, other in zip(steps[0][2], steps[1][2], strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4)
        np.testing.assert_array_equal(steps[0][0], steps[1][0])
        np.testing.assert_allclose(steps[0][1], steps[1][1], atol=1e-4)
        assert steps[1][1].shape == (3, 2, count)
        if steps[0][3] is None:
            assert steps[1][3] is None
        else:
            assert steps[1][3].shape == (3, 2, 2, 49)
            np.testing.assert_allclose(steps[0][3], steps[1][3], atol=1e-5)
        token_ids, states = steps[0][0][:, :, 0], [step[2] for step in steps]


@pytest.mark.slow
def test_all_words_have_the_log_probabilities_of_the_best(engines):
    features = np.random.default_rng(1).exponential(1.0, (3, 2, 49, 512)).astype("float32")
    token_ids, size = np.full((3, 1), 1, np.int32), len(VOCABULARY)
    for engine in engines:
        memory, state = engine.begin(features, np.ones((3, 2), bool))
        log_probs, state_after, attention = engine.predict(token_ids, state, memory)
        words, best, *others = engine.step(token_ids, state, memory, np.zeros(size, "f4"), size)
        np.testing.assert_array_equal(np.sort(words), np.broadcast_to(np.arange(size), words.shape))
        np.testing.assert_allclose(np.take_along_axis(log_probs, words, axis=2), best, atol=1e-5)
        for one, other in zip(state_after, others[0], strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)
        assert (attention is None) == (others[1] is None)
        if attention is not None:
            np.testing.assert_allclose(attention, others[1], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{"beam_width": 1}, {"beam_width": 4, "num_captions": 3}, {"no_repeat_ngram": 1}],
)
def test_sentences_are_equal(engines, options):
    features = np.random.default_rng(2).exponential(1.0, (12, 1, 49, 512)).astype("float32")
    expected, found = (
        search_captions(engine, VOCABULARY, features, max_length=10, **options)
        for engine in engines
    )
    for one, other in zip(expected, found, strict=True):
        assert [h.token_ids for h in one] == [h.token_ids for h in other]
        assert [h.log_prob for h in one] == pytest.approx([h.log_prob for h in other], abs=1e-4)


@pytest.mark.slow
def test_captions_are_equal(tiny_preset):
    captions = {
        engine: Captioner.from_preset(tiny_preset, "float32", engine).generate(SAMPLES)
        for engine in ("keras", "openvino")
    }
    for one, other in zip(*captions.values(), strict=True):
        assert one.words == other.words
        np.testing.assert_allclose(one.attention, other.attention, atol=1e-4)


def test_the_fast_road_imports_neither_tensorflow_nor_keras(tiny_preset):
    code = (
        "import sys; from captioner.cli.caption import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: print(*sys.modules)"
    )
    command = [sys.executable, "-c", code, "--preset", str(tiny_preset), str(SAMPLES[0])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    caption, modules = done.stdout.splitlines()
    assert caption
    assert {"openvino", "numpy", "captioner.captioner"} <= set(modules.split())
    heavy = {"tensorflow", "keras", "keras_nlp", "torch", "jax", "pydantic", "nltk"}
    assert not heavy & set(modules.split())


def test_graphs_that_do_not_fit_are_refused(tiny_preset):
    preset = Captioner.from_preset(tiny_preset).preset
    broken = {**preset.graphs, "openvino_step.xml": b"<net"}
    with pytest.raises(CaptionerError, match="use --engine keras"):
        Captioner(replace(preset, graphs=broken), engine="openvino")
    weights = {name: a for name, a in preset.weights.items() if name != "decoder/key/kernel"}
    with pytest.raises(CaptionerError, match="decoder/key/kernel"):
        Captioner(replace(preset, weights=weights), engine="openvino")


@pytest.mark.slow
@pytest.mark.data
def test_captions_of_flickr8k_are_equal(flickr8k):
    if DEFAULT_PRESET not in bundled_presets():
        pytest.skip(f"the preset {DEFAULT_PRESET} is not bundled here")
    paths = [example.path for example in read_dataset(flickr8k).split("val")[:16]]
    one, other = (
        Captioner.from_preset(precision="float32", engine=engine).generate(paths)
        for engine in ("keras", "openvino")
    )
    assert [caption.words for caption in one] == [caption.words for caption in other]
