import keras
import numpy as np
import pytest
from PIL import Image

from captioner.datasets.caption_dataset import CaptionDataset, CaptionExample
from captioner.datasets.features import FeatureStore, prepare_features
from captioner.datasets.view import View
from captioner.training.config import StageConfig
from captioner.training.stage_data import StageData
from captioner.vision.encoder import VGG16Encoder


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
        examples.append(CaptionExample(path.name, str(path), ("a dog",), words, split))
    dataset = CaptionDataset("noise", tuple(examples))
    whole = prepare_features(dataset, encoder, folder / "features", batch_size=2)
    for n in (1, 2):
        view = View(seed=n)
        prepare_features(dataset, encoder, folder / f"features_view{n}", batch_size=2, view=view)

    def read_as(frames):
        stage = StageConfig("frozen", epochs=1, learning_rate=1e-3, frames=frames)
        return StageData(folder / "features", stage, dataset, encoder, views=2)

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
            first, second = (which(f, image_id, known) for f in inputs["features"][row])
            assert first != second
        assert inputs["frame_mask"][:, 0].all()
        lengths += inputs["frame_mask"].sum(1).tolist()
    assert 70 < lengths.count(1) < 130
    assert set(lengths) == {1, 2}


def test_validation_pictures_are_read_whole(stores):
    read_as, whole, *_ = stores
    ((image_ids, inputs),) = read_as(frames=1).validation_inputs(None)
    assert image_ids == ["2.png"]
    np.testing.assert_array_equal(inputs["features"][0], whole["2.png"])


def which(frame, image_id, known):
    """The store in which a picture has these features: 0 for the whole picture, or a view's."""
    (found,) = [n for n, store in enumerate(known) if np.array_equal(frame, store[image_id][0])]
    return found
