import os
from pathlib import Path

import hypothesis
import pytest
from jaxtyping import install_import_hook

os.environ["CAPTIONER_CHECK_ARRAYS"] = "1"  # see captioner/arrays.py
_SEAMS = (
    "captioner.datasets.augment",
    "captioner.datasets.store",
    "captioner.datasets.survey",
    "captioner.engines",
    "captioner.media.clip",
    "captioner.models.clip_features",
    "captioner.search",
)
install_import_hook(_SEAMS, "beartype.beartype")

import captioner  # noqa: E402, F401  # before TensorFlow, whose SQLite has no full-text search

hypothesis.settings.register_profile("captioner", deadline=None)  # no test depends on time
hypothesis.settings.load_profile("captioner")
os.environ["CAPTIONER_CONFIG"] = ""  # no defaults of whoever runs the tests


def pytest_collection_modifyitems(items):
    """Begin with the longest, so that no worker is left alone with one of them at the end."""
    items.sort(key=lambda item: item.path.stem not in ("test_notebooks", "test_workers"))


@pytest.fixture(scope="session")
def flickr8k():
    """The folder of Flickr8k, as tests marked `data` need it."""
    folder = Path(os.environ.get("CAPTIONER_FLICKR8K", "data/flickr8k"))
    if not (folder / "dataset_flickr8k.json").exists():
        pytest.skip(f"needs Flickr8k in {folder}: set CAPTIONER_FLICKR8K to its folder")
    return folder


# A VGG16 of a thousandth of the weights, for all tests that are not about VGG16 itself.
TOY_FILTERS = (4, 8, 16, 32, 32)


@pytest.fixture(scope="session")
def tiny_preset(tmp_path_factory):
    """The folder of a preset with a toy VGG16, a decoder of eight units and random weights."""
    import keras

    from captioner.exports.graphs import with_graphs
    from captioner.models.build import build_decoder
    from captioner.models.vgg16 import VGG16Encoder
    from captioner.presets.network import capture_weights
    from captioner.presets.storage import Preset, write_preset
    from captioner.text.vocabulary import Vocabulary

    keras.utils.set_random_seed(1)
    words = ("a", "man", "dog", "two", "runs", "in", "on", "the", "grass", "red", "water", "é")
    vocabulary = Vocabulary(dict.fromkeys(words, 5))
    encoder = VGG16Encoder(weights=None, filters=TOY_FILTERS)
    options = {"name": "top_down", "units": 8, "embedding_size": 8}
    decoder = build_decoder(**options, channels=encoder.channels, vocabulary_size=len(vocabulary))
    weights = capture_weights(encoder, decoder)
    # Keras' first weights are so small that every picture gets the same sentence.
    weights = {
        name: array * 4 if name.startswith("decoder/") else array for name, array in weights.items()
    }
    config = {
        "encoder": encoder.options,
        "decoder": options,
        "generation": {"beam_width": 3, "max_length": 8, "length_power": 0.7},
    }
    folder = tmp_path_factory.mktemp("presets") / "tiny"
    preset = Preset(config, vocabulary, weights, "# Model card\n\nRandom weights.\n")
    write_preset(folder, with_graphs(preset))
    return folder


@pytest.fixture
def fake_captioner(monkeypatch):
    """The class of a captioner without a network, in the place of the real one."""
    from fake_captioner import FakeCaptioner

    monkeypatch.setattr("captioner.captioner.Captioner", FakeCaptioner)
    FakeCaptioner.calls.clear()
    return FakeCaptioner
