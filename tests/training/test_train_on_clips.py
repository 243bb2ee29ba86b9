"""From four films to a scored model: MSR-VTT's format, prepare, train, evaluate."""

import json

import keras
import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from films import write_film

from captioner.captioner import Captioner
from captioner.cli import main
from captioner.datasets.store import FeatureStore
from captioner.models.vgg16 import VGG16Encoder
from captioner.presets.storage import read_preset

pytestmark = pytest.mark.slow

FRAMES = 3
COLOURS = {"red": (220, 20, 20), "blue": (20, 20, 220)}
# Split, seconds and caption of video0 to video4; the last one does not exist.
CLIPS = (
    ("train", 3.0, "red then blue"),
    ("train", 3.0, "blue then red"),
    ("validate", 3.0, "red then blue"),
    ("test", 0.3, "blue then red"),  # so short that it has two frames
    ("test", None, "nothing at all"),
)


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def write_clips(folder):
    videos, sentences = [], []
    for number, (split, seconds, caption) in enumerate(CLIPS):
        name = f"video{number}"
        videos.append({"video_id": name, "split": split, "id": number})
        sentences += [
            {"video_id": name, "caption": caption, "sen_id": 2 * number + n} for n in (0, 1)
        ]
        if seconds is None:
            continue
        first, _, second = caption.split()
        half = int(seconds * 5)  # at ten frames a second
        pixels = [COLOURS[first]] * (half + 1) + [COLOURS[second]] * (half + 1)
        frames = [np.broadcast_to(np.array(p, np.uint8), (64, 64, 3)).copy() for p in pixels]
        write_film(folder / "TrainValVideo" / f"{name}.mp4", frames)
    return {"videos": videos, "sentences": sentences}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    (folder / "TrainValVideo").mkdir()
    content = write_clips(folder)
    (folder / "train_val_videodatainfo.json").write_text(json.dumps(content))
    (folder / "TrainValVideo").rename(folder / "videos")
    keras.utils.set_random_seed(0)
    encoder = VGG16Encoder(weights=None, dtype="float32")
    encoder.backbone.save_weights(folder / "vgg16.weights.h5")
    config = {
        "dataset": str(folder),
        "features": str(folder / "features"),
        "run": str(folder / "run"),
        "encoder": {"weights": str(folder / "vgg16.weights.h5")},
        "decoder": {"name": "s2vt", "units": 16, "embedding_size": 16, "tie_embeddings": True},
        "min_count": 1,
        "max_length": 4,
        "captions_per_image": 2,
        "precision": "float32",
        "stages": [{"name": "frozen", "epochs": 1, "learning_rate": 0.01, "batch_size": 2}],
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


@pytest.fixture(scope="module")
def prepared(workspace):
    weights = workspace / "vgg16.weights.h5"
    result = run(
        *("prepare", workspace, "--out", workspace / "features", "--frames", FRAMES),
        *("--weights", weights, "--batch-size", 4),
    )
    assert result.exit_code == 0, result.output
    return result.stdout


def test_prepare_keeps_frames_of_each_clip(workspace, prepared):
    assert prepared.endswith("features (5, 3, 49, 512) of 5 clips, 1 unreadable\n")
    store = FeatureStore(workspace / "features")
    assert "video4" not in store
    assert "video4.mp4" in store.index["unreadable"]["video4"]  # the reason names the file
    assert store["video0"].shape == (FRAMES, 49, 512)
    assert store["video3"].shape == (2, 49, 512)
    whole = store["video0"].astype("float32")
    # The store's first and last frames are those of other clips in the other order.
    np.testing.assert_allclose(whole[0], store["video1"][2], atol=0.05 * whole.max())
    assert np.abs(whole[0] - whole[2]).max() > 0.2 * whole.max()


def test_another_number_of_frames_is_refused(workspace, prepared):
    store = ["--out", workspace / "features", "--weights", workspace / "vgg16.weights.h5"]
    assert run("prepare", workspace, *store).exit_code == 0  # without a number, the store's
    result = run("prepare", workspace, *store, "--frames", 8)
    assert result.exit_code == 1
    assert "has 3 frames of each clip, not 8" in result.output


def test_train_and_evaluate(workspace, prepared):
    trained = run("train", workspace / "config.yaml")
    assert trained.exit_code == 0, trained.output
    best = workspace / "run/frozen/best"
    config = json.loads((best / "config.json").read_text())
    assert config["frames"] == FRAMES
    assert config["decoder"]["name"] == "s2vt" and config["decoder"]["tie_embeddings"] is True

    # The same frames as in training, and the missing clip ends nothing.
    found = next(Captioner.from_preset(best, "float32").describe([workspace / "videos/video0.mp4"]))
    assert found.frames == FRAMES
    arguments = ["evaluate", "--preset", best, "--dataset", workspace, "--no-meteor", "--json"]
    result = run(*arguments, "--allow-missing", "--resamples", 10)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["images"] == 2
    assert "video4.mp4" in result.stderr


def test_vgg16_is_trained_on_a_frame_of_each_clip(workspace, prepared):
    config = yaml.safe_load((workspace / "config.yaml").read_text())
    config["stages"][0].update(trainable_from="block5", epochs=1, encoder_learning_rate=1e-3)
    (workspace / "finetune.yaml").write_text(
        yaml.safe_dump({**config, "run": str(workspace / "no")})
    )
    result = run("train", workspace / "finetune.yaml")
    assert result.exit_code == 0, result.output
    after = read_preset(workspace / "no/frozen/best").weights
    encoder = VGG16Encoder(weights=workspace / "vgg16.weights.h5")
    moved = {
        layer.name
        for layer in encoder.backbone.layers
        if layer.weights
        and (after[f"encoder/{layer.name}/kernel"] != np.asarray(layer.kernel, "float16")).any()
    }
    assert moved == {"block5_conv1", "block5_conv2", "block5_conv3"}
