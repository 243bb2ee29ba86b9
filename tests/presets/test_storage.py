import json
import shutil
import subprocess

import numpy as np
import pytest

from captioner.errors import CaptionerError
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


def test_what_a_killed_run_left_is_no_hindrance(preset, tmp_path):
    (tmp_path / "mine.part").mkdir()
    (tmp_path / "mine.part" / "torn").write_text("")
    write_preset(tmp_path / "mine", preset)
    assert read_preset(tmp_path / "mine").card == preset.card
    assert not (tmp_path / "mine" / "torn").exists()


def test_writing_again_replaces_the_whole(preset, tmp_path):
    write_preset(tmp_path / "mine", preset)
    changed = Preset(preset.config, preset.vocabulary, preset.weights, "# Another card\n")
    write_preset(tmp_path / "mine", changed)
    assert read_preset(tmp_path / "mine").card == "# Another card\n"


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
    (tmp_path / "mine" / "SHA256SUMS").write_text("")
    with pytest.raises(CaptionerError, match="update captioner"):
        read_preset(tmp_path / "mine")


def test_a_folder_of_other_things_is_not_overwritten(preset, tmp_path):
    (tmp_path / "thesis.txt").write_text("three years of work")
    with pytest.raises(CaptionerError, match="is no preset"):
        write_preset(tmp_path, preset)
    assert (tmp_path / "thesis.txt").exists()


def test_an_unknown_name_lists_those_that_exist():
    with pytest.raises(CaptionerError, match="no such preset") as caught:
        read_preset("vgg19")
    assert all(name in str(caught.value) for name in bundled_presets())
