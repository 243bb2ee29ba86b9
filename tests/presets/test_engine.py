import sys
from dataclasses import replace

import pytest

from captioner.engines.openvino import OpenVINOEngine
from captioner.errors import CaptionerError
from captioner.presets.engine import build_engine, choose_engine
from captioner.presets.storage import read_preset, write_preset


@pytest.fixture(scope="module")
def preset(tiny_preset):
    return read_preset(tiny_preset)


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
