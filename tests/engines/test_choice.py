import sys
from dataclasses import replace

import numpy as np
import pytest

from captioner.engines.choice import build_engine, build_ensemble, choose_engine
from captioner.engines.openvino import OpenVINOEngine
from captioner.errors import CaptionerError
from captioner.presets.storage import read_preset, write_preset
from captioner.text.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def preset(tiny_preset):
    return read_preset(tiny_preset)


@pytest.mark.slow
def test_openvino_is_the_first_choice(preset, capsys):
    assert choose_engine(preset) == choose_engine(preset, "openvino") == "openvino"
    assert choose_engine(preset, "keras") == "keras"
    assert isinstance(build_engine(preset, precision="float32"), OpenVINOEngine)
    assert capsys.readouterr().err == ""


def test_a_preset_without_graphs_runs_in_keras_and_says_how_to_add_them(preset, capsys):
    plain = replace(preset, graphs={})
    assert choose_engine(plain) == "keras"
    note = capsys.readouterr().err
    assert "captioner export" in note
    assert note.count("\n") == 1
    with pytest.raises(CaptionerError, match="captioner export"):
        choose_engine(plain, "openvino")


def test_without_openvino_keras_does_it(preset, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)  # as Python itself marks what is not there
    assert choose_engine(preset) == "keras"
    assert "pip install openvino" in capsys.readouterr().err
    with pytest.raises(CaptionerError, match="pip install openvino"):
        choose_engine(preset, "openvino")


def test_an_unknown_engine_is_refused(preset):
    with pytest.raises(CaptionerError, match="auto, openvino, keras"):
        choose_engine(preset, "steam")


def test_graphs_are_kept_and_checked(preset, tmp_path):
    write_preset(tmp_path / "copy", preset)
    assert read_preset(tmp_path / "copy").graphs == preset.graphs
    assert len(preset.graphs) == 6
    assert sum(map(len, preset.graphs.values())) < 300_000  # structure, no weights
    (tmp_path / "copy" / "openvino_step.xml").write_bytes(b"<net/>")
    with pytest.raises(CaptionerError, match=r"openvino_step\.xml was changed"):
        read_preset(tmp_path / "copy")


@pytest.mark.slow
def test_an_ensemble_runs_equal_encoders_once(preset):
    weights = {
        name: array * 2 if name.startswith("decoder/") else array
        for name, array in preset.weights.items()
    }
    other_encoder = {
        name: array + 1 if name == "encoder/block5_conv3/bias" else array
        for name, array in preset.weights.items()
    }
    presets = [preset, replace(preset, weights=weights), replace(preset, weights=other_encoder)]
    frames = np.zeros((1, 1, 224, 224, 3), np.uint8)
    assert build_ensemble(presets[:2], precision="float32").encode(frames).shape[-1] == 32
    assert build_ensemble(presets, precision="float32").encode(frames).shape[-1] == 64


def test_presets_of_different_words_are_no_ensemble(preset):
    other = replace(preset, vocabulary=Vocabulary({"a": 1}))
    with pytest.raises(CaptionerError, match="different words"):
        build_ensemble([preset, other])
