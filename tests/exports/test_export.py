import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from captioner import Captioner
from captioner.cli import main
from captioner.errors import CaptionerError
from captioner.exports.formats import Network, compare, export_preset
from captioner.presets.storage import read_preset, write_preset

SCRIPT = Path(__file__).parents[2] / "scripts" / "caption_with_onnx.py"
# Nothing of ours is there for other programs.
ALONE = (
    "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0]); "
    "assert not {'tensorflow', 'keras', 'captioner'} & set(sys.modules)"
)


@pytest.fixture(scope="module")
def preset(tiny_preset):
    return read_preset(tiny_preset)


def export(*arguments):
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["openvino", "onnx", "saved_model", "litert"])
def test_every_format_computes_what_keras_does(tiny_preset, tmp_path, name):
    result = export(tiny_preset, "--format", name, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert float(result.stdout.split("by at most ")[1].split()[0]) < 1e-4
    assert (
        json.loads((tmp_path / "out" / "config.json").read_text())["encoder"]
        == read_preset(tiny_preset).config["encoder"]
    )
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]
    if name != "onnx":
        return
    frame = np.random.default_rng(1).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    Image.fromarray(frame).save(tmp_path / "frame.png")
    command = [sys.executable, "-c", ALONE, SCRIPT, tmp_path / "out", tmp_path / "frame.png"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    keras = Captioner.from_preset(tiny_preset, "float32", "keras")
    said = keras.generate(frame, beam_width=1, max_length=20, min_length=0)[0]
    assert list(said.words) == done.stdout.split()


def test_a_difference_from_keras_is_found(preset):
    network = Network.of(preset)

    def wrong(name, inputs):
        outputs = network.run(name, inputs)
        if name == "step":
            outputs["log_probs"] = outputs["log_probs"] * 1.01
        return outputs

    assert compare(network.run, network.run, network) == 0
    with pytest.raises(CaptionerError, match=r"differ from Keras by .* in step"):
        compare(network.run, wrong, network)


def test_a_preset_gets_its_graphs_in_place(preset, tmp_path):
    write_preset(tmp_path / "old", replace(preset, graphs={}))
    result = export(
        tmp_path / "old", "--format", "preset", "--out", tmp_path / "old", "--overwrite"
    )
    assert result.exit_code == 0, result.output
    assert read_preset(tmp_path / "old").graphs == preset.graphs


def test_nothing_is_overwritten(preset, tmp_path):
    (tmp_path / "thesis.txt").write_text("three years of work")
    with pytest.raises(CaptionerError, match="is not empty"):
        export_preset(preset, "onnx", tmp_path)


def test_another_backend_is_named(preset, tmp_path, monkeypatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    with pytest.raises(CaptionerError, match="Keras runs on jax here; put KERAS_BACKEND=tens"):
        export_preset(preset, "onnx", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_named(preset, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(CaptionerError, match=r"needs tf2onnx.*captioner\[export\]"):
        export_preset(preset, "onnx", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
