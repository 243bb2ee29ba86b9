from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from captioner.datasets.augment import View
from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.mixture import DataConfig, Mixture, Part
from captioner.datasets.store import FeatureStore, prepare_features
from captioner.engines.keras import KerasEngine
from captioner.models.build import build_decoder
from captioner.models.vgg16 import VGG16Encoder
from captioner.training.config import StageConfig
from captioner.training.presence import PresenceData, PresenceTargets
from captioner.training.stage_data import StageData


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("views")
    keras.utils.set_random_seed(0)
    encoder = VGG16Encoder(weights=None, dtype="float32")
    rng = np.random.default_rng(1)
    examples = []
    for number, split in enumerate(("train", "train", "val")):
        path = folder / f"{number}.png"
        Image.fromarray(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)).save(path)
        words = (("a", "dog"),)
        examples.append(Example(path.name, str(path), ("a dog",), words, split))
    dataset = Dataset("noise", tuple(examples))
    whole = prepare_features(dataset, encoder, folder / "features", batch_size=2)
    for n in (1, 2):
        view = View(seed=n)
        prepare_features(dataset, encoder, folder / f"features_view{n}", batch_size=2, view=view)

    def read_as(frames):
        stage = StageConfig("frozen", epochs=1, learning_rate=1e-3, frames=frames)
        mixture = Mixture([Part(DataConfig("noise"), dataset)])
        return StageData(folder / "features", stage, mixture, encoder, views=2)

    views = [FeatureStore(f"{folder / 'features'}_view{n}") for n in (1, 2)]
    return read_as, whole, *views


def test_training_pictures_are_read_whole_or_as_one_of_their_views(stores):
    read_as, *known = stores
    data = read_as(frames=1)
    seen = [[], []]
    for seed in range(300):
        features = data.read(data.train, np.random.default_rng(seed))["features"]
        assert features.shape == (2, 1, 49, 512)
        for row, image_id in enumerate(("0.png", "1.png")):
            seen[row].append(which(features[row, 0], image_id, known))
    for row in seen:
        assert all(70 < row.count(choice) < 130 for choice in range(3))
    assert seen[0] != seen[1]


def test_several_looks_at_a_picture_are_read_as_frames(stores):
    read_as, *known = stores
    data = read_as(frames=2)
    lengths = []
    for seed in range(100):
        inputs = data.read(data.train, np.random.default_rng(seed))
        assert inputs["features"].shape == (2, 2, 49, 512)
        for row, image_id in enumerate(("0.png", "1.png")):
            count = inputs["frame_mask"][row].sum()
            looks = [which(f, image_id, known) for f in inputs["features"][row, :count]]
            assert len(set(looks)) == count
        assert inputs["frame_mask"][:, 0].all()
        lengths += inputs["frame_mask"].sum(1).tolist()
    assert 70 < lengths.count(1) < 130
    assert set(lengths) == {1, 2}


def test_validation_pictures_are_read_whole(stores):
    read_as, whole, *_ = stores
    ((image_ids, clips),) = read_as(frames=1).validation_clips("", None)
    assert image_ids == ["2.png"]
    np.testing.assert_array_equal(clips[0], whole["2.png"])


@pytest.fixture(scope="module")
def mixture(tmp_path_factory):
    """Three images, a clip of three frames, phrases for an image, and a group of captions."""
    folder = tmp_path_factory.mktemp("mixture")
    keras.utils.set_random_seed(0)
    encoder = VGG16Encoder(weights=None, dtype="float32")
    rng = np.random.default_rng(2)

    def example(name, split, moving=False):
        frames = rng.integers(0, 256, (3 if moving else 1, 60, 80, 3), dtype=np.uint8)
        first, *others = map(Image.fromarray, frames)
        path = folder / name
        first.save(path, save_all=moving, append_images=others, duration=400)
        return Example(name, str(path), ("dogs",), (("dogs",),), split)

    images = [example(f"{n}.png", split) for n, split in enumerate(("train", "train", "val"))]
    clips = [example(f"{n}.mp4.gif", "train", moving=True) for n in range(1)]
    # A data set is known to have clips by the names of its files.
    renamed = [replace(clip, path=clip.path.removesuffix(".gif")) for clip in clips]
    for clip, new in zip(clips, renamed, strict=True):
        Path(clip.path).rename(new.path)
    phrases = [example("room.png", "train")]
    group = Example("group0", "", ("a cat",), (("a", "cat"),), "train")
    mixture = Mixture(
        [
            Part(DataConfig("", name="i", weight=2), Dataset("i", tuple(images))),
            Part(DataConfig("", name="c", frames=2), Dataset("c", tuple(renamed))),
            Part(DataConfig("", name="p", captions=False), Dataset("p", tuple(phrases))),
            Part(DataConfig("", name="s"), Dataset("s", (group,))),
        ]
    )
    return folder, encoder, mixture


def stage_data(mixture, **options):
    folder, encoder, parts = mixture
    told = options.pop("told", None)
    stage = StageConfig("s", epochs=1, learning_rate=1e-3, **options)
    return StageData(folder / "features", stage, parts, encoder, presence=told)


def names(examples):
    return [example.id for example in examples]


def test_images_and_clips_are_read_together(mixture):
    data = stage_data(mixture)
    assert names(data.train) == ["i/0.png", "i/1.png", "c/0.mp4.gif"]
    assert {name: names(own) for name, own in data.validation.items()} == {"i": ["i/2.png"]}
    assert (data.frames, data.stored_frames) == (2, 8)
    order = data.draw_epoch(np.random.default_rng(0))
    assert sorted(order.tolist()) == [0, 0, 1, 1, 2]
    stored = FeatureStore(mixture[0] / "features" / "c")
    lengths = set()
    for seed in range(20):
        inputs = data.read(data.train, np.random.default_rng(seed))
        assert inputs["features"].shape == (3, 2, 49, 512)
        assert inputs["frame_mask"][:2].tolist() == [[True, False]] * 2
        count = inputs["frame_mask"][2].sum()
        lengths.add(int(count))
        frames = [
            next(n for n in range(3) if np.array_equal(frame, stored["0.mp4.gif"][n]))
            for frame in inputs["features"][2, :count]
        ]
        assert frames == sorted(set(frames))  # different ones, in their order
    assert lengths == {1, 2}


def test_phrases_count_for_the_presence_of_words_alone(mixture):
    data = stage_data(mixture, objective="presence")
    assert names(data.train) == ["i/0.png", "i/1.png", "c/0.mp4.gif", "p/room.png"]


def test_a_clip_is_one_frame_where_vgg16_is_trained(mixture):
    data = stage_data(mixture, trainable_from="block5")
    images = data.read(data.train, np.random.default_rng(0))["images"]
    assert images.shape == (3, 1, 224, 224, 3)
    engine = KerasEngine(mixture[1], build_decoder("top_down", 512, vocabulary_size=5))
    ((ids, clips),) = data.validation_clips("i", engine)
    assert ids == ["i/2.png"]
    stored = FeatureStore(mixture[0] / "features" / "i")["2.png"]
    np.testing.assert_allclose(clips[0], stored, rtol=1e-2, atol=1e-2)


def test_captions_without_images_tell_which_words_they_mention(mixture):
    words = PresenceTargets(["dog", "cat"], mixture[2])
    detect = lambda features, mask: np.tile([2.0, -2.0], (len(features), 1))  # noqa: E731
    data = stage_data(mixture, told=PresenceData(words, detect))
    assert names(data.train)[-1] == "s/group0"
    inputs = data.read(data.train, np.random.default_rng(0))
    assert inputs["frame_mask"].sum(1).tolist()[-1] == 0
    assert not inputs["features"][-1].any()
    np.testing.assert_array_equal(inputs["presence"][:3], -1)
    # Of dogs the detector says 0.88 where they are; of cats, which no image has, nothing is known
    # but how it speaks of what is there.
    told = inputs["presence"][3]
    assert told[1] == pytest.approx(1 / (1 + np.exp(-2.0)), abs=1e-3)


def which(frame, image_id, known):
    """The store in which a picture has these features: 0 for the whole picture, or a view's."""
    (found,) = [n for n, store in enumerate(known) if np.array_equal(frame, store[image_id][0])]
    return found
