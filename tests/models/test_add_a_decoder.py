"""A decoder is added as docs/how-to/add-a-decoder.md says: one file, one line of registration."""

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from captioner.engines.keras import KerasEngine
from captioner.errors import CaptionerError
from captioner.models import build
from captioner.models.vgg16 import VGG16Encoder
from captioner.search.search import search_captions
from captioner.text.vocabulary import Vocabulary
from captioner.training.caption_model import CaptionModel, NextWordLoss

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-a-decoder.md"


def test_the_guide_makes_a_decoder_that_is_trained_and_searched(monkeypatch, tmp_path):
    text = PAGE.read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    ((name, class_name),) = re.findall(r'`captioner/models/build.py`: `"(\w+)": "(\w+)"`', text)
    assert f"captioner/models/{name}.py" in text
    with pytest.raises(CaptionerError, match=f"decoder '{name}': choose one of"):
        build.build_decoder(name, 32, vocabulary_size=6)

    (tmp_path / f"{name}.py").write_text(dedent(code), encoding="utf-8")
    spec = spec_from_file_location(f"captioner.models.{name}", tmp_path / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(build._CLASSES, name, class_name)
    vocabulary = Vocabulary({"a": 2, "dog": 1})
    encoder = VGG16Encoder(weights=None, filters=(2, 2, 2, 2, 4))
    options = {"vocabulary_size": len(vocabulary), "units": 8, "embedding_size": 8}
    decoder = build.build_decoder(name, encoder.channels, **options)

    shape = (2, 1, encoder.locations, encoder.channels)
    features = np.random.default_rng(0).random(shape, np.float32)
    found = search_captions(KerasEngine(encoder, decoder), vocabulary, features, max_length=4)
    assert all(1 <= len(own[0].token_ids) <= 4 for own in found)

    model = CaptionModel(encoder, decoder)
    model.compile("adam", NextWordLoss())
    inputs = {
        "features": features,
        "frame_mask": np.ones((2, 1), bool),
        "token_ids": np.array([[[vocabulary.start_id, 4]], [[vocabulary.start_id, 5]]], np.int32),
    }
    before = [weight.numpy().copy() for weight in decoder.trainable_variables]
    model.train_on_batch(inputs, np.array([[[4, 3]], [[5, 3]]], np.int32))
    after = [weight.numpy() for weight in decoder.trainable_variables]
    assert any(not np.array_equal(one, other) for one, other in zip(before, after, strict=True))
