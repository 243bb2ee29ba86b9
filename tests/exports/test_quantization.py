import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from captioner import Captioner, CaptionerError
from captioner.cli import main
from captioner.engines.choice import build_ensemble
from captioner.engines.openvino import OpenVINOEngine
from captioner.exports.quantization import quantize_preset
from captioner.presets.storage import DEFAULT_PRESET, read_preset

SAMPLES = ["data/samples/cat.jpg", "data/samples/astronaut.jpg"]


@pytest.fixture(scope="module")
def frames():
    pictures = []
    for path in SAMPLES:
        with Image.open(path) as image:
            pictures.append(np.asarray(image.convert("RGB").resize((224, 224)))[None, None])
    return pictures


@pytest.fixture(scope="module")
def preset():
    return read_preset(DEFAULT_PRESET)


@pytest.fixture(scope="module")
def quantized(preset, frames):
    return quantize_preset(preset, frames)


@pytest.mark.slow
def test_vgg16_has_a_byte_a_weight_and_sees_nearly_the_same(preset, quantized, frames):
    parameters = sum(a.size for name, a in preset.weights.items() if name.startswith("encoder/"))
    assert len(quantized.graphs["openvino_encode.bin"]) == pytest.approx(parameters, rel=0.01)
    pictures = np.concatenate(frames)
    one, other = (
        OpenVINOEngine(p.graphs, p.weights).encode(pictures).ravel() for p in (preset, quantized)
    )
    assert (one != other).any()
    assert np.corrcoef(one, other)[0, 1] > 0.99


def test_the_preset_captions_and_says_what_it_cannot(quantized, tmp_path):
    Captioner(quantized).save_to_preset(tmp_path / "small")
    captioner = Captioner.from_preset(tmp_path / "small")
    assert all(len(caption.words) > 3 for caption in captioner.generate(SAMPLES))
    with pytest.raises(CaptionerError, match="8 bits, which only OpenVINO can run"):
        Captioner.from_preset(tmp_path / "small", engine="keras")
    with pytest.raises(CaptionerError, match="only a preset with"):
        quantize_preset(quantized, [])


def test_an_ensemble_tells_encoders_of_8_bits_apart(preset, quantized, frames):
    pictures = frames[0]
    assert build_ensemble([quantized, quantized]).encode(pictures).shape[-1] == 512
    assert build_ensemble([preset, quantized]).encode(pictures).shape[-1] == 1024


def test_the_command_writes_a_preset(tiny_preset, tmp_path):
    rows = [f"{name.rsplit('/')[-1]},a cat,train" for name in SAMPLES]
    table = tmp_path / "captions.csv"
    table.write_text("\n".join(["image,caption,split", *rows]) + "\n")
    arguments = ["quantize", str(tiny_preset), str(table), "--images", "data/samples"]
    result = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{tmp_path / 'out'}: a preset with an 8-bit VGG16\n"
    read = read_preset(tmp_path / "out")
    assert all(name.startswith("decoder/") for name in read.weights)
    assert read.card.endswith("2 images; the scores above are those of the original model.\n")


def test_without_nncf_the_mend_is_named(preset, frames, monkeypatch):
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(CaptionerError, match=r"pip install 'captioner\[quantize\]'"):
        quantize_preset(preset, frames)
