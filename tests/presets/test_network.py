import numpy as np
import pytest

from captioner.errors import CaptionerError
from captioner.models.build import build_decoder
from captioner.models.vgg16 import VGG16Encoder
from captioner.presets.network import assign_weights, build_network, capture_weights
from captioner.presets.storage import Preset
from captioner.text.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def network():
    return VGG16Encoder(weights=None), build_decoder("show_and_tell", 512, **OPTIONS)


OPTIONS = {"vocabulary_size": 6, "units": 4, "embedding_size": 5}


def preset_of(network, **config):
    config = {
        "encoder": {"grid": 7},
        "decoder": {"name": "show_and_tell", "units": 4, "embedding_size": 5},
        **config,
    }
    weights = capture_weights(*network, "float32")
    return Preset(config, Vocabulary({"a": 2, "dog": 1}), weights, "")


def test_a_network_built_of_a_preset_has_its_weights(network):
    preset = preset_of(network)
    copy = capture_weights(*build_network(preset), "float32")
    assert copy.keys() == preset.weights.keys()
    assert all(np.array_equal(copy[name], preset.weights[name]) for name in copy)


def test_names_do_not_depend_on_what_was_built_before(network):
    again = VGG16Encoder(weights=None), build_decoder("show_and_tell", 512, **OPTIONS)
    assert capture_weights(*again).keys() == capture_weights(*network).keys()


def test_float16_halves_the_weights_and_rounds_them(network):
    half, full = capture_weights(*network), capture_weights(*network, "float32")
    assert all(half[n].nbytes * 2 == full[n].nbytes for n in full)
    np.testing.assert_allclose(
        half["encoder/block1_conv1/kernel"],
        full["encoder/block1_conv1/kernel"],
        rtol=1e-3,
        atol=1e-7,
    )


def test_weights_that_do_not_fit_are_named(network):
    preset = preset_of(network)
    del preset.weights["decoder/lstm/bias"]
    with pytest.raises(CaptionerError, match="decoder/lstm/bias"):
        assign_weights(*network, preset)
    wide = preset_of(network, decoder={"name": "show_and_tell", "units": 8, "embedding_size": 5})
    with pytest.raises(CaptionerError, match="its config needs"):
        build_network(wide)


@pytest.mark.parametrize(
    "options",
    [
        {"name": "lrcn"},
        {"name": "s2vt", "dropout": 0.2},
        {"name": "show_and_tell"},
        {"name": "show_attend_and_tell", "attention_units": 3, "doubly_stochastic": 0.5},
        {"name": "top_down", "deep_output": True, "presence": 3},
    ],
    ids=lambda options: options["name"],
)
def test_a_preset_keeps_every_option_of_its_decoder(network, options):
    encoder = network[0]
    sizes = {"units": 4, "embedding_size": 4}
    options = {**sizes, "dropout": 0.1, "tie_embeddings": True, **options}
    decoder = build_decoder(**options, channels=encoder.channels, vocabulary_size=6)
    assert {"name": options["name"], **decoder.options} == options
    weights = capture_weights(encoder, decoder, "float32")
    config = {"encoder": {"grid": 7}, "decoder": options}
    _, copy = build_network(Preset(config, Vocabulary({"a": 2, "dog": 1}), weights, ""))
    assert copy.options == decoder.options
