import json
import shutil

from click.testing import CliRunner
from safetensors.numpy import load_file

from captioner.cli import main
from captioner.presets.storage import bundled_presets


def info(*arguments):
    return CliRunner().invoke(main, ["info", *map(str, arguments)])


def test_lists_what_is_bundled_and_what_it_does():
    lines = dict(line.split("\t") for line in info().stdout.splitlines())
    assert list(lines) == bundled_presets()
    assert lines["vgg16_top_down"] == "describes images and videos"
    assert lines["vgg16_lstm_signs"] == "labels activities in clips"
    rows = json.loads(info("--json").stdout)
    assert [row["name"] for row in rows] == bundled_presets()
    assert {"name": "vgg16_lstm_signs", "task": "activity"} in rows


def test_describes_a_preset(tiny_preset):
    result = info(tiny_preset, "--json")
    assert result.exit_code == 0
    facts = json.loads(result.stdout)
    config = json.loads((tiny_preset / "config.json").read_text())
    arrays = load_file(tiny_preset / "model.safetensors")
    assert sum(facts["parameters"].values()) == sum(array.size for array in arrays.values())
    assert facts == {
        "name": "tiny",
        "folder": str(tiny_preset),
        "task": "caption",
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
    parameters = json.loads(info(tiny_preset, "--json").stdout)["parameters"]
    assert lines[2:7] == [
        "task        caption",
        "encoder     vgg16 (grid 7, filters [4, 8, 16, 32, 32])",
        "decoder     top_down (units 8, embedding_size 8)",
        "vocabulary  16 words, special tokens included",
        f"parameters  {sum(parameters.values()):,}: encoder {parameters['encoder']:,}, "
        f"decoder {parameters['decoder']:,}",
    ]
    assert "generation  beam_width 3, max_length 8, length_power 0.7" in lines
    assert lines[-3:] == ["# Model card", "", "Random weights."]


def test_counts_the_parameters_of_both_tasks():
    # VGG16 without top has 14,714,688 parameters (keras.io/api/applications).
    facts = json.loads(info("vgg16_top_down", "--json").stdout)
    assert facts["parameters"]["encoder"] == 14_714_688
    labels = json.loads(info("vgg16_lstm_signs", "--json").stdout)
    assert (labels["task"], len(labels["labels"])) == ("activity", 10)
    assert labels["parameters"].keys() == {"head"}


def test_refuses_what_is_damaged_or_missing(tiny_preset, tmp_path):
    assert info("no_such_preset").exit_code == 2
    broken = shutil.copytree(tiny_preset, tmp_path / "broken")
    (broken / "vocabulary.json").unlink()
    result = info(broken)
    assert (result.stdout, result.exit_code) == ("", 1)
    assert result.stderr.startswith(f"Error: preset {broken} lacks vocabulary.json")
