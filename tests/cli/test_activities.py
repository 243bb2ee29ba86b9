import csv
import json
from dataclasses import replace

import keras
import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from PIL import Image
from toy_vgg16 import save_toy_vgg16

from captioner.captioner import Captioner
from captioner.cli import main as captioner
from captioner.cli.caption import main as caption
from captioner.datasets.store import FeatureStore
from captioner.errors import CaptionerError
from captioner.models.vgg16 import VGG16Encoder
from captioner.presets.network import hold_vgg16
from captioner.presets.storage import read_preset, write_preset
from captioner.results import ACTIVITY
from captioner.training.config import read_config
from captioner.training.trainer import Trainer

pytestmark = pytest.mark.slow

TOY_FILTERS = (8, 16, 32, 64, 64)
COLOURS = {"redden": (220, 20, 20), "grow_blue": (20, 20, 220)}
PER_LABEL = 10


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Folders of frames that turn to one of two colours, one of them broken; a random VGG16."""
    folder = tmp_path_factory.mktemp("activity")
    rng = np.random.default_rng(0)
    for label, colour in COLOURS.items():
        for number in range(PER_LABEL):
            clip = folder / "clips" / label / f"{number}"
            clip.mkdir(parents=True)
            for frame in range(5):
                pixels = np.array(colour) * frame / 4 + rng.integers(0, 20, (32, 32, 3))
                Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(clip / f"{frame}.png")
    (folder / "clips" / "redden" / "broken.mp4").write_bytes(b"no film")
    save_toy_vgg16(folder / "vgg16.weights.h5", TOY_FILTERS, rng)
    config = {
        "task": "activity",
        "dataset": str(folder / "clips"),
        "features": str(folder / "features"),
        "run": str(folder / "run"),
        "encoder": {"weights": str(folder / "vgg16.weights.h5"), "filters": list(TOY_FILTERS)},
        "side": 32,
        "frames": 4,
        "head": {"name": "lstm", "units": 16, "bidirectional": True, "dropout": 0.2},
        "epochs": 6,
        "batch_size": 4,
        "learning_rate": 0.01,
        "warmup_steps": 2,
        "mixup": 0.2,
        "drop_frames": 0.3,
        "precision": "float32",
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


@pytest.fixture(scope="module")
def trained(workspace):
    result = CliRunner().invoke(captioner, ["train", str(workspace / "config.yaml")])
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == f"best preset: {workspace / 'run' / 'best'}"
    return workspace / "run" / "best"


def test_a_bad_clip_is_left_out_and_the_others_are_learnt(workspace, trained):
    index = json.loads((workspace / "features" / "index.json").read_text())
    assert list(index["unreadable"]) == ["redden/broken.mp4"]
    assert len(index["image_ids"]) == 2 * PER_LABEL + 1
    with (workspace / "run" / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert max(float(row["accuracy"]) for row in rows) == 1


def test_preset_says_what_it_is_and_is_no_captioner(trained):
    preset = read_preset(trained, ACTIVITY)
    assert preset.labels == ["grow_blue", "redden"]
    assert "grow_blue, redden" in preset.card
    with pytest.raises(CaptionerError, match="for the task 'activity', but one for 'caption'"):
        read_preset(trained)
    with pytest.raises(CaptionerError, match="for the task 'caption', but one for 'activity'"):
        read_preset("vgg16_top_down", ACTIVITY)
    with pytest.raises(CaptionerError, match="labels clips"):
        Captioner(preset, "float32").caption_features([np.zeros((1, 49, 512))])


def test_a_vgg16_that_no_preset_has_is_held(workspace, trained):
    preset = read_preset(trained, ACTIVITY)
    vgg16 = VGG16Encoder(weights=str(workspace / "vgg16.weights.h5"), filters=TOY_FILTERS)
    held = [name for name in preset.weights if name.startswith("encoder/")]
    assert len(held) == len(vgg16.weights)
    assert preset.config["encoder"].keys() == {"filters", "fingerprint"}


def test_a_preset_that_names_a_file_is_read_and_made_whole(workspace, trained, tmp_path):
    """As presets were written that hold the head alone."""
    preset = read_preset(trained, ACTIVITY)
    encoder = {**preset.config["encoder"], "weights": str(workspace / "vgg16.weights.h5")}
    head = {name: array for name, array in preset.weights.items() if name.startswith("head/")}
    old = replace(preset, config={**preset.config, "encoder": encoder}, weights=head)
    clip = workspace / "clips" / "redden" / "3"
    (expected,) = Captioner(preset, "float32").generate(clip)
    (found,) = Captioner(old, "float32").generate(clip)
    assert found.probability == pytest.approx(expected.probability, abs=1e-3)

    moved = {**encoder, "weights": str(tmp_path / "gone.h5")}
    write_preset(tmp_path / "old", replace(old, config={**preset.config, "encoder": moved}))
    arguments = ["export", str(tmp_path / "old"), "--format", "preset", "--out"]
    weights = ["--weights", str(workspace / "vgg16.weights.h5")]
    done = CliRunner().invoke(captioner, [*arguments, str(tmp_path / "whole"), *weights])
    assert done.exit_code == 0, done.output
    whole = read_preset(tmp_path / "whole", ACTIVITY)
    assert whole.config == preset.config
    assert all((whole.weights[name] == array).all() for name, array in preset.weights.items())


def test_info_shows_it(trained):
    result = CliRunner().invoke(captioner, ["info", str(trained)])
    assert result.exit_code == 0
    assert "grow_blue, redden" in result.output
    assert json.loads(CliRunner().invoke(captioner, ["info", str(trained), "--json"]).output)[
        "head"
    ] == {"name": "lstm", "units": 16, "bidirectional": True, "dropout": 0.2}


def test_evaluate_prints_accuracy_with_its_interval_and_draws_the_confusion(workspace, trained):
    picture = workspace / "confusion.png"
    arguments = ["--preset", trained, "--dataset", workspace / "clips", "--split", "all"]
    result = CliRunner().invoke(
        captioner, ["evaluate", *map(str, arguments), "--confusion", str(picture)]
    )
    assert result.exit_code == 0, result.output
    assert "left out" in result.stderr
    first, _, _, _, *rows = result.stdout.splitlines()
    assert first == "accuracy 100.0 % (20 of 20 clips), 95 % interval 83.9 to 100.0"
    assert [row.split("|")[1].strip() for row in rows] == ["grow_blue", "redden"]
    with Image.open(picture) as drawn:
        assert drawn.size[0] > 100


def test_caption_tells_labels_with_probabilities_and_an_error_row(workspace, trained, tmp_path):
    clip, bad = workspace / "clips" / "redden" / "3", workspace / "clips" / "redden" / "broken.mp4"
    arguments = ["--preset", str(trained), "--num-captions", "2", "--jsonl"]
    result = CliRunner().invoke(caption, [*arguments, str(clip), str(bad)])
    assert result.exit_code == 1
    found, error = map(json.loads, result.stdout.splitlines())
    assert (found["path"], found["label"]) == (str(clip), "redden")
    assert [row["label"] for row in found["labels"]] == ["redden", "grow_blue"]
    assert sum(row["probability"] for row in found["labels"]) == pytest.approx(1, abs=0.001)
    assert "broken.mp4" in error["error"]
    alone = CliRunner().invoke(caption, ["--preset", str(trained), str(clip)])
    assert alone.stdout == f"redden {found['probability']:.4f}\n"

    # A run that goes on adds nothing.
    out = tmp_path / "labels.jsonl"
    for _ in range(2):
        CliRunner().invoke(caption, [*arguments, str(clip), "--out", str(out)])
    assert out.read_text() == json.dumps(found) + "\n"


def test_a_single_picture_does_not_move(workspace, trained):
    picture = workspace / "clips" / "redden" / "3" / "0.png"
    result = CliRunner().invoke(caption, ["--preset", str(trained), str(picture)])
    assert result.exit_code == 1
    assert "1 frame in this clip" in result.stderr


def test_another_vgg16_is_refused(workspace, trained):
    keras.utils.set_random_seed(1)
    other = workspace / "other.weights.h5"
    VGG16Encoder(weights=None, filters=TOY_FILTERS).backbone.save_weights(other)
    with pytest.raises(CaptionerError, match="not the one that this preset was trained with"):
        hold_vgg16(read_preset(trained, ACTIVITY), str(other))


@pytest.mark.parametrize(
    ("preset", "arguments", "message"),
    [
        ("nosuch", [], "no such preset"),
        ("vgg16_lstm_signs", ["--every", "3"], "labels whole clips"),
        ("vgg16_lstm_signs", ["--mirror", "-n", "2"], "labels whole clips: leave out --mirror."),
        ("vgg16_lstm_signs", ["--format", "vtt"], "labels whole clips"),
    ],
)
def test_wrong_usage(preset, arguments, message):
    result = CliRunner().invoke(caption, ["--preset", preset, *arguments, "a.mp4"])
    assert result.exit_code == 2
    assert message in result.output


def test_options_of_captions_are_refused(trained):
    with pytest.raises(CaptionerError, match="labels whole clips"):
        next(Captioner.from_preset(trained).describe(["a.mp4"], beam_width=3))


def test_prepare_reads_clips_as_the_preset_does(workspace, trained, tmp_path):
    arguments = ["prepare", workspace / "clips", "--preset", trained, "--out", tmp_path / "store"]
    done = CliRunner().invoke(captioner, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    assert done.stdout.endswith("of 21 clips, 1 unreadable\n")
    found, known = (FeatureStore(f) for f in (tmp_path / "store", workspace / "features"))
    assert found.index["reading"] == known.index["reading"]
    np.testing.assert_allclose(found["redden/3"], known["redden/3"], atol=8)  # of 300, in bfloat16


def test_a_store_of_clips_of_the_format_before_is_read(workspace, trained, tmp_path):
    known = FeatureStore(workspace / "features")
    index = dict(known.index)
    shorter, ids = index.pop("shorter"), index.pop("image_ids")
    index["clips"] = "0" * 64  # of the data set, which is no longer compared
    index["clip_ids"] = ids
    frames = index["reading"]["frames"]
    unreadable = index["unreadable"]
    index["lengths"] = [0 if i in unreadable else shorter.get(i, frames) for i in ids]
    del index["view"], index["completed"]
    old = tmp_path / "old"
    old.mkdir()
    (old / "features.npy").write_bytes((workspace / "features" / "features.npy").read_bytes())
    (old / "index.json").write_text(json.dumps(index))
    changes = {"features": str(old), "run": str(tmp_path / "run")}
    best = Trainer(read_config(workspace / "config.yaml", changes), report=list).train()
    assert (best / "SHA256SUMS").read_text() == (trained / "SHA256SUMS").read_text()
    assert FeatureStore(old).index["shorter"] == known.index["shorter"]


def test_an_interrupted_training_goes_on_as_if_it_had_not_been(workspace, trained):
    config = read_config(workspace / "config.yaml", {"run": str(workspace / "again")})

    def interrupt(line):
        if line.startswith("epoch 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Trainer(config, report=interrupt).train()
    lines = []
    best = Trainer(config, report=lines.append).train()
    assert next(line for line in lines if "epoch" in line).startswith("epoch 3")
    assert (best / "SHA256SUMS").read_text() == (trained / "SHA256SUMS").read_text()


def test_fine_tuning_changes_the_blocks_from_the_named_one_up(workspace, trained):
    changes = {
        "start": str(trained),
        "run": str(workspace / "finetuned"),
        "features": str(workspace / "features_block4"),
        "trainable_from": "block5",
        "encoder_learning_rate": 0.0001,
        "epochs": 2,
    }
    config = read_config(workspace / "config.yaml", changes)
    lines = []
    preset = read_preset(Trainer(config, report=lines.append).train(), ACTIVITY)
    assert "accuracy 100.0" in next(
        line for line in lines if "epoch" in line
    )  # it began with a head that had learnt
    before = VGG16Encoder(weights=str(workspace / "vgg16.weights.h5"), filters=TOY_FILTERS)
    first = np.asarray(before.backbone.get_layer("block5_conv1").kernel).astype(np.float16)
    assert not np.array_equal(preset.weights["encoder/block5_conv1/kernel"], first)
    frozen = np.asarray(before.backbone.get_layer("block4_conv1").kernel).astype(np.float16)
    np.testing.assert_array_equal(preset.weights["encoder/block4_conv1/kernel"], frozen)
    clip = workspace / "clips" / "redden" / "3"
    assert len(Captioner(preset, "float32").generate(clip)) == 1


def test_a_store_of_other_frames_is_refused(workspace, trained):
    config = read_config(workspace / "config.yaml", {"frames": 3, "run": str(workspace / "other")})
    with pytest.raises(CaptionerError, match="made with another reading"):
        Trainer(config).train()
