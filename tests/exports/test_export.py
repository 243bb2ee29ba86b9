import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from captioner import Captioner
from captioner.commands import main
from captioner.errors import CaptionerError
from captioner.exports.export import Network, compare, export_preset
from captioner.presets.storage import read_preset, write_preset

# Captions one frame with onnxruntime and NumPy alone, greedily.
ONNX_CAPTIONER = """
import json, sys
import numpy as np
import onnxruntime

folder, frames = sys.argv[1], np.load(sys.argv[2])
vocabulary = json.load(open(folder + "/vocabulary.json"))
words = [*vocabulary["special"], *vocabulary["words"]]
run = {name: onnxruntime.InferenceSession(f"{folder}/{name}.onnx")
       for name in ("encode", "begin", "step")}
def call(name, **inputs):
    names = [output.name for output in run[name].get_outputs()]
    return dict(zip(names, run[name].run(names, inputs)))
features = call("encode", frames=frames)["features"]
begun = call("begin", features=features, frame_mask=np.ones((1, 1), bool))
memory = {k: v for k, v in begun.items() if k.startswith("memory_")}
state = {k: v for k, v in begun.items() if k.startswith("state_")}
penalty = np.zeros(len(words), np.float32)
penalty[[0, 1, 3]] = -np.inf
token, sentence = 1, []
while token != 2 and len(sentence) < 8:
    allowed = penalty.copy()
    allowed[token] = -np.inf  # no word twice in a row
    out = call("step", token_ids=np.array([[token]], np.int32), penalty=allowed,
               count=np.array(1, np.int32), **state, **memory)
    token = int(out["words"][0, 0, 0])
    sentence += [words[token]] * (token != 2)
    state = {k: out["next_" + k] for k in state}
assert not {"tensorflow", "keras", "captioner"} & set(sys.modules)
print(*sentence)
"""


@pytest.fixture(scope="module")
def preset(tiny_preset):
    return read_preset(tiny_preset)


def export(*arguments):
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


@pytest.mark.parametrize("name", ["openvino", "onnx", "saved_model", "litert"])
def test_every_format_computes_what_keras_does(tiny_preset, tmp_path, name):
    result = export(tiny_preset, "--format", name, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert float(result.stdout.split(" by ")[1].split()[0]) < 1e-4
    assert json.loads((tmp_path / "out" / "config.json").read_text())["encoder"] == {"grid": 7}
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]
    if name != "onnx":
        return
    # Another program needs nothing of ours.
    frames = np.random.default_rng(1).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    np.save(tmp_path / "frames.npy", frames[None, None])
    command = [sys.executable, "-c", ONNX_CAPTIONER, str(tmp_path / "out")]
    done = subprocess.run(
        [*command, str(tmp_path / "frames.npy")], capture_output=True, text=True, check=True
    )
    keras = Captioner.from_preset(tiny_preset, "float32", "keras")
    said = keras.generate(frames, beam_width=1, max_length=8, min_length=0)[0]
    assert list(said.words) == done.stdout.split()


def test_a_difference_from_keras_is_found(preset):
    network = Network.of(preset)

    def wrong(name, inputs):
        outputs = network.run(name, inputs)
        if name == "step":
            outputs["log_probs"] = outputs["log_probs"] * 1.01
        return outputs

    assert compare(network.run, network.run, network) == 0
    with pytest.raises(CaptionerError, match=r"differs from Keras by .* in step"):
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
