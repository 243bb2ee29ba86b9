import dataclasses
import json
import shutil
import subprocess

import numpy as np
import pytest

from captioner.errors import CaptionerError
from captioner.presets.checksums import write_checksums
from captioner.presets.storage import Preset, bundled_presets, read_preset, write_preset
from captioner.text.vocabulary import Vocabulary


@pytest.fixture
def preset():
    weights = {"decoder/a/kernel": np.arange(6, dtype=np.float16).reshape(2, 3)}
    config = {"encoder": {"grid": 7}, "decoder": {"name": "top_down"}, "generation": {}}
    return Preset(config, Vocabulary({"dog": 3}), weights, "# Model card\n")


def test_round_trip(preset, tmp_path):
    write_preset(tmp_path / "mine", preset)
    read = read_preset(tmp_path / "mine")
    assert (read.config, read.vocabulary, read.card) == (
        preset.config,
        preset.vocabulary,
        preset.card,
    )
    assert read.weights["decoder/a/kernel"].dtype == np.float16
    np.testing.assert_array_equal(
        read.weights["decoder/a/kernel"], preset.weights["decoder/a/kernel"]
    )
    assert list(tmp_path.iterdir()) == [tmp_path / "mine"]  # nothing half-written is left


def test_arrays_in_any_order_of_memory_are_written_as_they_are(preset, tmp_path):
    array = np.arange(24, dtype=np.float16).reshape(4, 6)
    weights = {"turned": array.T, "every_second": array[:, ::2], "one": np.array(7.0)}
    write_preset(tmp_path / "mine", dataclasses.replace(preset, weights=weights))
    read = read_preset(tmp_path / "mine").weights
    for name, value in weights.items():
        np.testing.assert_array_equal(read[name], value)


def test_a_preset_is_overwritten_only_where_that_is_asked_for(preset, tmp_path):
    write_preset(tmp_path / "mine", preset)
    changed = Preset(preset.config, preset.vocabulary, preset.weights, "# Another card\n")
    with pytest.raises(CaptionerError, match="--overwrite"):
        write_preset(tmp_path / "mine", changed)
    assert read_preset(tmp_path / "mine").card == preset.card
    write_preset(tmp_path / "mine", changed, overwrite=True)
    assert read_preset(tmp_path / "mine").card == "# Another card\n"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_web_application_with_a_config_json_is_not_erased(preset, tmp_path, overwrite):
    webapp = tmp_path / "webapp"
    (webapp / "src").mkdir(parents=True)
    (webapp / "config.json").write_text('{"port": 8080}')
    (webapp / "src" / "main.js").write_text("start()")
    (tmp_path / "webapp.part").mkdir()
    (tmp_path / "webapp.part" / "thesis.txt").write_text("three years of work")
    with pytest.raises(CaptionerError, match="is not a preset"):
        write_preset(webapp, preset, overwrite=overwrite)
    assert (webapp / "src" / "main.js").read_text() == "start()"
    write_preset(tmp_path / "other", preset)  # a neighbour is left alone, too
    assert (tmp_path / "webapp.part" / "thesis.txt").read_text() == "three years of work"


def test_a_part_folder_of_the_same_name_is_left_alone(preset, tmp_path):
    (tmp_path / "mine.part").mkdir()
    (tmp_path / "mine.part" / "thesis.txt").write_text("three years of work")
    write_preset(tmp_path / "mine", preset)
    write_preset(tmp_path / "mine", preset, overwrite=True)
    assert (tmp_path / "mine.part" / "thesis.txt").exists()


def test_files_that_a_user_put_into_a_preset_are_not_erased(preset, tmp_path):
    write_preset(tmp_path / "mine", preset)
    (tmp_path / "mine" / "notes.txt").write_text("tried on Monday")
    with pytest.raises(CaptionerError, match=r"notes\.txt"):
        write_preset(tmp_path / "mine", preset, overwrite=True)
    assert (tmp_path / "mine" / "notes.txt").exists()


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="sha256sum is not installed")
def test_checksums_are_those_of_sha256sum(preset, tmp_path):
    write_preset(tmp_path / "mine", preset)
    subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path / "mine", check=True)


@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "vocabulary.json", "README.md"]
)
def test_a_changed_or_missing_file_is_named(preset, tmp_path, name):
    write_preset(tmp_path / "mine", preset)
    file = tmp_path / "mine" / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(CaptionerError, match=f"{name} was changed or damaged"):
        read_preset(tmp_path / "mine")
    file.unlink()
    with pytest.raises(CaptionerError, match=name if name != "config.json" else "no such preset"):
        read_preset(tmp_path / "mine")


def test_a_newer_format_is_refused(preset, tmp_path):
    write_preset(tmp_path / "mine", preset)
    path = tmp_path / "mine" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "format": 2}))
    (tmp_path / "mine" / "SHA256SUMS").unlink()
    write_checksums(tmp_path / "mine")
    with pytest.raises(CaptionerError, match="update captioner"):
        read_preset(tmp_path / "mine")


def test_a_folder_of_other_things_is_not_overwritten(preset, tmp_path):
    (tmp_path / "thesis.txt").write_text("three years of work")
    with pytest.raises(CaptionerError, match="is not a preset"):
        write_preset(tmp_path, preset)
    assert (tmp_path / "thesis.txt").exists()


def test_an_unknown_name_lists_those_that_exist():
    with pytest.raises(CaptionerError, match="no such preset") as caught:
        read_preset("vgg19")
    assert all(name in str(caught.value) for name in bundled_presets())
