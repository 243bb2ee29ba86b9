import csv
import json

import keras
import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from PIL import Image

from captioner.activity_classifier import ActivityClassifier
from captioner.cli import main as caption
from captioner.commands import main as captioner
from captioner.errors import CaptionerError
from captioner.presets.activity import read_activity_preset
from captioner.presets.storage import read_preset
from captioner.training.activity_config import read_activity_config
from captioner.training.activity_trainer import ActivityTrainer
from captioner.vision.encoder import VGG16Encoder

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
    keras.utils.set_random_seed(0)
    encoder = VGG16Encoder(weights=None, dtype="float32")
    for layer in encoder.backbone.layers[1:]:
        # Keras' own first weights let the signal die out over sixteen layers (He et al. 2015).
        for kernel in layer.weights[:1]:
            kernel.assign(rng.normal(0, (2 / np.prod(kernel.shape[:3])) ** 0.5, kernel.shape))
    encoder.backbone.save_weights(folder / "vgg16.weights.h5")
    config = {
        "task": "activity",
        "dataset": str(folder / "clips"),
        "features": str(folder / "features"),
        "run": str(folder / "run"),
        "encoder": {"weights": str(folder / "vgg16.weights.h5")},
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
    assert result.output.splitlines()[-1] == f"best preset: {workspace / 'run' / 'best'}"
    return workspace / "run" / "best"


def test_a_bad_clip_is_left_out_and_the_others_are_learnt(workspace, trained):
    index = json.loads((workspace / "features" / "index.json").read_text())
    assert list(index["unreadable"]) == ["redden/broken.mp4"]
    assert len(index["clip_ids"]) == 2 * PER_LABEL + 1
    with (workspace / "run" / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert max(float(row["accuracy"]) for row in rows) == 1


def test_preset_says_what_it_is_and_is_no_captioner(trained):
    preset = read_activity_preset(trained)
    assert preset.labels == ["grow_blue", "redden"]
    assert all(name.startswith("head/") for name in preset.weights)
    assert "grow_blue, redden" in preset.card
    with pytest.raises(CaptionerError, match="caption --activity"):
        read_preset(trained)
    with pytest.raises(CaptionerError, match="recognizes no activities"):
        read_activity_preset("vgg16_top_down")


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
    assert Image.open(picture).size[0] > 100


def test_caption_tells_labels_with_probabilities_and_an_error_row(workspace, trained, tmp_path):
    clip, bad = workspace / "clips" / "redden" / "3", workspace / "clips" / "redden" / "broken.mp4"
    arguments = ["--activity", str(trained), "--num-captions", "2", "--jsonl"]
    result = CliRunner().invoke(caption, [*arguments, str(clip), str(bad)])
    assert result.exit_code == 1
    found, error = map(json.loads, result.stdout.splitlines())
    assert (found["path"], found["label"]) == (str(clip), "redden")
    assert [row["label"] for row in found["labels"]] == ["redden", "grow_blue"]
    assert sum(row["probability"] for row in found["labels"]) == pytest.approx(1, abs=0.001)
    assert "broken.mp4" in error["error"]
    alone = CliRunner().invoke(caption, ["--activity", str(trained), str(clip)])
    assert alone.stdout == f"redden {found['probability']:.4f}\n"

    # A run that goes on adds nothing.
    out = tmp_path / "labels.jsonl"
    for _ in range(2):
        CliRunner().invoke(caption, [*arguments, str(clip), "--out", str(out)])
    assert out.read_text() == json.dumps(found) + "\n"


def test_a_single_picture_does_not_move(workspace, trained):
    picture = workspace / "clips" / "redden" / "3" / "0.png"
    result = CliRunner().invoke(caption, ["--activity", str(trained), str(picture)])
    assert result.exit_code == 1
    assert "1 frame in this clip" in result.stderr


def test_another_vgg16_is_refused(workspace, trained):
    keras.utils.set_random_seed(1)
    other = workspace / "other.weights.h5"
    VGG16Encoder(weights=None).backbone.save_weights(other)
    with pytest.raises(CaptionerError, match="not the one that this activity preset was trained"):
        ActivityClassifier.from_preset(trained, weights=str(other))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--activity", "nosuch", "a.mp4"], "no such preset"),
        (["--activity", "x", "--whole", "a.mp4"], "labels whole clips"),
        (["--weights", __file__, "a.mp4"], "--weights is for --activity"),
    ],
)
def test_wrong_usage(arguments, message):
    result = CliRunner().invoke(caption, arguments)
    assert result.exit_code == 2
    assert message in result.output


def test_an_interrupted_training_goes_on_as_if_it_had_not_been(workspace, trained):
    config = read_activity_config(workspace / "config.yaml", {"run": str(workspace / "again")})

    def interrupt(line):
        if line.startswith("epoch 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ActivityTrainer(config, report=interrupt).train()
    lines = []
    best = ActivityTrainer(config, report=lines.append).train()
    assert lines[0].startswith("epoch 3")
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
    config = read_activity_config(workspace / "config.yaml", changes)
    lines = []
    preset = read_activity_preset(ActivityTrainer(config, report=lines.append).train())
    assert "accuracy 100.0" in lines[0]  # it began with a head that had learnt
    names = {name.split("/")[1] for name in preset.weights if name.startswith("encoder/")}
    assert names == {"block5_conv1", "block5_conv2", "block5_conv3"}
    before = VGG16Encoder(weights=str(workspace / "vgg16.weights.h5"))
    first = np.asarray(before.backbone.get_layer("block5_conv1").kernel).astype(np.float16)
    assert not np.array_equal(preset.weights["encoder/block5_conv1/kernel"], first)
    clip = workspace / "clips" / "redden" / "3"
    assert len(ActivityClassifier(preset, "float32").classify(clip)) == 1


def test_a_store_of_other_frames_is_refused(workspace, trained):
    config = read_activity_config(
        workspace / "config.yaml", {"frames": 3, "run": str(workspace / "other")}
    )
    with pytest.raises(CaptionerError, match="made with another reading"):
        ActivityTrainer(config).train()
