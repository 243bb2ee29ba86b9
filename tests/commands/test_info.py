import json
import shutil

from click.testing import CliRunner
from safetensors.numpy import load_file

from captioner.commands import main
from captioner.presets.storage import bundled_presets


def info(*arguments):
    return CliRunner().invoke(main, ["info", *map(str, arguments)])


def test_lists_what_is_bundled_and_what_it_does():
    lines = dict(line.split("\t") for line in info().stdout.splitlines())
    assert list(lines) == bundled_presets()
    assert lines["vgg16_top_down"] == "describes images and videos"
    assert lines["vgg16_lstm_signs"] == "names what is done in clips"
    rows = json.loads(info("--json").stdout)
    assert [row["name"] for row in rows] == bundled_presets()
    assert {"name": "vgg16_lstm_signs", "task": "activity"} in rows


def test_describes_a_preset(tiny_preset):
    result = info(tiny_preset, "--json")
    assert result.exit_code == 0
    facts = json.loads(result.stdout)
    config = json.loads((tiny_preset / "config.json").read_text())
    arrays = load_file(tiny_preset / "model.safetensors")
    # VGG16 without top has 14,714,688 parameters (keras.io/api/applications).
    assert facts["parameters"]["encoder"] == 14_714_688
    assert sum(facts["parameters"].values()) == sum(array.size for array in arrays.values())
    assert facts == {
        "name": "tiny",
        "folder": str(tiny_preset),
        "encoder": {"name": "vgg16", **config["encoder"]},
        "decoder": config["decoder"],
        "vocabulary": 16,
        "parameters": facts["parameters"],
        "bytes": sum(path.stat().st_size for path in tiny_preset.iterdir()),
        "checksums": "valid",
        "generation": config["generation"],
        "card": "# Model card\n\nRandom weights.\n",
    }


def test_writes_it_for_people(tiny_preset):
    lines = info(tiny_preset).stdout.splitlines()
    assert lines[2:6] == [
        "encoder     vgg16 (grid 7)",
        "decoder     top_down (units 8, embedding_size 8)",
        "vocabulary  16 words, special tokens included",
        "parameters  14,754,256: encoder 14,714,688, decoder 39,568",
    ]
    assert lines[8] == "generation  beam_width 3, max_length 8, length_power 0.7"
    assert lines[-3:] == ["# Model card", "", "Random weights."]


def test_refuses_what_is_damaged_or_missing(tiny_preset, tmp_path):
    assert info("no_such_preset").exit_code == 2
    broken = shutil.copytree(tiny_preset, tmp_path / "broken")
    (broken / "vocabulary.json").unlink()
    result = info(broken)
    assert (result.stdout, result.exit_code) == ("", 1)
    assert result.stderr.startswith(f"Error: preset {broken} lacks vocabulary.json")
