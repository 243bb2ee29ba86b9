from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from captioner.captioner import Captioner
from captioner.cli import main
from captioner.errors import CaptionerError
from captioner.exports.soup import average_presets
from captioner.presets.storage import Preset, read_preset, write_preset
from captioner.text.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def bundled():
    return read_preset("vgg16_top_down")


def tiny(values, **config):
    weights = {"decoder/a": np.array(values, np.float16), "encoder/b": np.array([-0.0], np.float16)}
    config = {"encoder": {"grid": 7}, "decoder": {"name": "top_down"}, "generation": {}, **config}
    return Preset(config, Vocabulary({"dog": 3}), weights, "# Model card\n\n## Scores\n")


def test_the_mean_of_each_weight():
    mean = average_presets([tiny([1, 2]), tiny([3, 4]), tiny([8, 0])])
    assert mean.weights["decoder/a"].tolist() == [4, 2]
    assert mean.weights["decoder/a"].dtype == np.float16
    assert np.signbit(mean.weights["encoder/b"]).all()  # equal weights stay equal, to the bit


def test_large_halves_do_not_overflow():
    mean = average_presets([tiny([60000]), tiny([50016]), tiny([55008])]).weights["decoder/a"]
    assert mean.tolist() == [55008]


def test_search_is_that_of_the_first_and_confidence_nobodys():
    first = tiny([1], generation={"beam_width": 5}, confidence={"slope": 1.0})
    mean = average_presets([first, tiny([2])])
    assert mean.config["generation"] == {"beam_width": 5}
    assert "confidence" not in mean.config
    assert mean.card.count("\n## Model card") == 2 and mean.card.count("\n### Scores") == 2


@pytest.mark.parametrize(
    ("other", "differing"),
    [
        (tiny([1], encoder={"grid": 14}), "encoder"),
        (tiny([1], decoder={"name": "lrcn"}), "decoder"),
        (replace(tiny([1]), vocabulary=Vocabulary({"cat": 3})), "vocabulary"),
        (tiny([1, 2]), "weights"),
    ],
)
def test_networks_that_differ(other, differing):
    with pytest.raises(CaptionerError, match=f"number 2 differ in their {differing}: only stages"):
        average_presets([tiny([1]), other])


def test_eight_bits():
    quantized = tiny([1])
    quantized.weights["decoder/a"] = np.array([1], np.int8)
    with pytest.raises(CaptionerError, match="average first, then quantize"):
        average_presets([tiny([1]), quantized])


@pytest.mark.slow
def test_command_writes_a_preset_that_captions(bundled, tmp_path):
    """Two networks whose differences cancel give the captions of the one between them."""
    rng = np.random.default_rng(0)
    noise = {
        name: rng.normal(0, 0.05, array.shape)
        for name, array in bundled.weights.items()
        if name.startswith("decoder/")
    }
    for sign, name in ((1, "more"), (-1, "less")):
        weights = {
            key: array + (sign * noise[key]).astype(array.dtype) if key in noise else array
            for key, array in bundled.weights.items()
        }
        write_preset(tmp_path / name, replace(bundled, weights=weights))
    arguments = ["average", str(tmp_path / "more"), str(tmp_path / "less")]
    result = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "mean")])
    assert result.exit_code == 0, result.output
    pictures = ["data/samples/dog.jpg", "data/samples/musicians.jpg"]
    said = [
        [caption.text for caption in Captioner.from_preset(preset).generate(pictures)]
        for preset in (tmp_path / "mean", "vgg16_top_down", tmp_path / "more")
    ]
    assert said[0] == said[1] != said[2]


def test_command_needs_two(tmp_path):
    result = CliRunner().invoke(main, ["average", "x", "--out", str(tmp_path / "mean")])
    assert result.exit_code == 2
    assert "at least two presets" in result.output


def test_each_preset_has_a_share_or_none_has(tmp_path):
    arguments = ["average", "x", "y", "--share", "0.3", "--out", str(tmp_path / "mean")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "2 presets need as many --share, not 1" in result.output


def test_shares_weigh_the_weights():
    mean = average_presets([tiny([1, 2]), tiny([5, 2])], [0.75, 0.25])
    assert mean.weights["decoder/a"].tolist() == [2, 2]
