"""A training on tar shards, which is interrupted and resumed."""

import csv

import keras
import numpy as np
import pytest
from PIL import Image

from captioner.datasets.readers import read_dataset
from captioner.datasets.shard_writer import write_shards
from captioner.models.vgg16 import VGG16Encoder
from captioner.training.config import parse_config
from captioner.training.trainer import Trainer

pytestmark = pytest.mark.slow

FILTERS = [4, 8, 8, 8, 16]


class StopHereError(Exception):
    pass


@pytest.fixture
def config(tmp_path):
    """A function that makes a config of two stages on shards; of stored features, and of images."""
    images = tmp_path / "images"
    images.mkdir()
    rng = np.random.default_rng(0)
    rows = ["image,caption,split"]
    for number in range(14):
        Image.fromarray(rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)).save(
            images / f"{number}.png"
        )
        rows.append(f"{number}.png,a wall number {number % 3},{'val' if number < 2 else 'train'}")
    (images / "captions.csv").write_text("\n".join(rows) + "\n")
    write_shards(read_dataset(images), tmp_path / "shards", per_shard=3)
    keras.utils.set_random_seed(0)
    encoder = VGG16Encoder(weights=None, filters=FILTERS, dtype="float32")
    encoder.backbone.save_weights(tmp_path / "vgg16.weights.h5")

    def make(run):
        stage = {"epochs": 2, "learning_rate": 0.005, "batch_size": 4, "patience": 9}
        content = {
            "dataset": str(tmp_path / "shards"),
            "features": str(tmp_path / f"{run}-features"),
            "run": str(tmp_path / run),
            "encoder": {"weights": str(tmp_path / "vgg16.weights.h5"), "filters": FILTERS},
            "decoder": {"name": "show_and_tell", "units": 8, "embedding_size": 8},
            "min_count": 1,
            "precision": "float32",
            "stages": [
                {**stage, "name": "frozen"},
                {**stage, "name": "images", "trainable_from": "block5", "crop": 0.8, "flip": True},
            ],
        }
        return parse_config(content, run)

    return make


def test_an_interrupted_training_reads_the_same_batches(config, tmp_path):
    Trainer(config("whole"), report=lambda line: None).train()
    for stage in ("frozen", "images"):

        def stop(line, stage=stage):
            if line.startswith(f"{stage} epoch 1: loss"):
                raise StopHereError  # the epoch's checkpoint is written

        with pytest.raises(StopHereError):
            Trainer(config("resumed"), report=stop).train()
    Trainer(config("resumed"), report=lambda line: None).train()
    for stage in ("frozen", "images"):
        logs = []
        for run in ("whole", "resumed"):
            with (tmp_path / run / stage / "log.csv").open(newline="") as file:
                logs.append([(row["loss"], row["perplexity"]) for row in csv.DictReader(file)])
        assert len(logs[0]) == 2
        assert logs[0] == logs[1]
