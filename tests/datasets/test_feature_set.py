"""Tests of data sets that are one file of features and captions."""

from pathlib import Path

import numpy as np
import pytest

from captioner.datasets.feature_set import load_features, read_feature_set, write_feature_set
from captioner.datasets.readers import read_dataset
from captioner.datasets.store import prepare_features
from captioner.errors import CaptionerError


class Encoder:
    """Stands for the encoder that the features are of; it never runs."""

    features_shape = (49, 16)

    def fingerprint(self) -> str:
        return "0123"


@pytest.fixture
def features() -> np.ndarray:
    """Features as sparse as those of VGG16, (5, 1, 49, 16)."""
    rng = np.random.default_rng(1)
    return rng.exponential(20.0, (5, 1, 49, 16)) * (rng.random((5, 1, 49, 16)) < 0.1)


def test_a_store_has_its_features_without_an_image(tmp_path: Path, features: np.ndarray) -> None:
    path = tmp_path / "mine.features.npz"
    captions = [["A dog."], ["A cat.", "Two cats."], ["A car."], ["A tree."], ["A boat."]]
    write_feature_set(path, list(features), captions, "0123")
    dataset = read_dataset(path)
    assert dataset.name == "mine"
    assert [list(example.captions) for example in dataset.split("train")] == captions
    assert dataset.examples[1].tokens == (("a", "cat"), ("two", "cats"))
    store = prepare_features(dataset, Encoder(), tmp_path / "store")
    for example, own in zip(dataset.examples, features, strict=True):
        assert store[example.id].shape == (1, 49, 16)
        assert ((store[example.id] > 0) <= (own > 0)).all()
    found = np.stack([store[example.id] for example in dataset.examples])
    error = np.sqrt(np.square(found - features).mean() / np.square(features).mean())
    assert error < 0.05
    again = prepare_features(dataset, Encoder(), tmp_path / "store")
    assert np.array_equal(again.features, store.features)


def test_the_file_is_a_fifth_of_the_features_in_half_precision(
    tmp_path: Path, features: np.ndarray
) -> None:
    path = tmp_path / "many.features.npz"
    many = np.concatenate([features] * 20)
    many *= np.random.default_rng(2).random(many.shape)  # no two are equal
    write_feature_set(path, list(many), [[]] * len(many), "0123")
    assert path.stat().st_size < many.astype(np.float16).nbytes / 5


def test_features_of_another_encoder_are_refused(tmp_path: Path, features: np.ndarray) -> None:
    path = tmp_path / "mine.features.npz"
    write_feature_set(path, list(features), [["A dog."]] * 5, "other")
    with pytest.raises(CaptionerError, match=r"mine\.features\.npz has features of another VGG16"):
        prepare_features(read_feature_set(path), Encoder(), tmp_path / "store")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"text"])
def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mine.features.npz"
    path.write_bytes(content)
    for read in (read_feature_set, lambda file: load_features(file, "0123")):
        with pytest.raises(CaptionerError, match=r"mine\.features\.npz is not a feature set"):
            read(path)
