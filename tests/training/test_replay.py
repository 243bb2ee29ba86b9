"""Tests of replay: general images keep a taught preset from forgetting."""

import json

import numpy as np
import pytest
from PIL import Image

from captioner.captioning import CaptionHead
from captioner.datasets.feature_set import load_features, read_feature_set, write_feature_set
from captioner.errors import CaptionerError
from captioner.presets.network import build_network
from captioner.presets.storage import read_preset
from captioner.training import replay, teaching
from captioner.training.replay import write_replay
from captioner.training.teaching import teach
from captioner.training.trainer import Trainer

GENERAL = 24


@pytest.fixture
def bundled(tiny_preset, tmp_path, monkeypatch):
    """Features of general images for the VGG16 of `tiny_preset`, in place of the bundled ones."""
    encoder, _ = build_network(read_preset(tiny_preset))
    rng = np.random.default_rng(5)
    shape = (GENERAL, 1, encoder.locations, encoder.channels)
    features = rng.exponential(4.0, shape) * (rng.random(shape) < 0.3)
    path = tmp_path / "bundled.features.npz"
    write_feature_set(path, list(features), [[]] * GENERAL, encoder.fingerprint())
    monkeypatch.setattr(replay, "BUNDLED", path)
    return load_features(path, encoder.fingerprint())


def test_it_has_what_the_preset_says_of_the_bundled_features(tiny_preset, bundled, tmp_path):
    preset = read_preset(tiny_preset)
    path = tmp_path / "replay.features.npz"
    assert write_replay(path, preset)
    said = CaptionHead.from_presets([preset], "float32", "keras").caption_features(
        list(bundled[:, None])
    )
    found = read_feature_set(path).examples
    assert len(found) == GENERAL
    assert all(1 <= len(example.captions) <= 3 for example in found)
    # Rounding may swap sentences that are equally good.
    equal = [e.captions[0] == caption.text for e, caption in zip(found, said, strict=True)]
    assert np.mean(equal) > 0.8


def test_another_vgg16_has_nothing_to_replay(tiny_preset, tmp_path):
    assert not write_replay(tmp_path / "replay.features.npz", read_preset(tiny_preset))
    assert not list(tmp_path.iterdir())


def test_an_image_without_a_caption_is_left_out_with_its_features(
    tiny_preset, bundled, tmp_path, monkeypatch
):
    def fail_first(head, clips, **options):
        error = CaptionerError("no sentence is possible")
        return [error, *caption_features(head, clips[1:], **options)]

    caption_features = CaptionHead.caption_features
    monkeypatch.setattr(CaptionHead, "caption_features", fail_first)
    path = tmp_path / "replay.features.npz"
    assert write_replay(path, read_preset(tiny_preset))
    encoder = build_network(read_preset(tiny_preset))[0].fingerprint()
    kept = load_features(path, encoder)
    assert len(read_feature_set(path).examples) == len(kept) == GENERAL - 1
    np.testing.assert_allclose(kept, bundled[1:], atol=0.2)


@pytest.mark.slow
def test_the_bundled_features_are_of_the_bundled_vgg16():
    encoder, _ = build_network(read_preset("vgg16_top_down"))
    features = load_features(replay.BUNDLED, encoder.fingerprint())
    assert features.shape == (500, 49, 512)


def _world(folder):
    rng = np.random.default_rng(0)
    rows = []
    for n in range(8):
        colour = (255, 0, 0) if n % 2 else (0, 0, 255)
        pixels = np.full((32, 32, 3), colour, np.uint8) ^ rng.integers(0, 9, (32, 32, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{n}.png")
        caption = "rex on the grass" if n % 2 else "two dogs in water"
        rows.append(json.dumps({"image": f"{n}.png", "caption": caption}))
    (folder / "captions.jsonl").write_text("\n".join(rows))
    return folder / "captions.jsonl"


@pytest.mark.slow
def test_half_of_a_batch_replays_general_images(tiny_preset, bundled, tmp_path, monkeypatch):
    monkeypatch.setattr(teaching, "_STEPS", 4)
    monkeypatch.setattr(teaching, "_EPOCHS", 1)
    configs = []

    def trainer(config, report):
        configs.append(config)
        return Trainer(config, report)

    monkeypatch.setattr(teaching, "Trainer", trainer)
    lines = []
    taught = teach(
        _world(tmp_path), tmp_path / "mine", preset=str(tiny_preset), report=lines.append
    )
    assert not any("may forget" in line for line in lines)
    (config,) = configs
    own, general = config.datasets
    assert (own.distilled, general.distilled, general.validation) == (False, True, 0)
    assert own.weight * 6 == pytest.approx(general.weight * GENERAL)
    (stage,) = config.stages
    assert stage.teachers == (config.start,)
    assert stage.batch_size == 2 * 6
    assert taught.history[0].keys() >= {"loss", "CIDEr"}
