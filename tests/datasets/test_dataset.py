import dataclasses

import pytest

from captioner.datasets.dataset import Dataset, Example
from captioner.errors import CaptionerError

DOG = Example("dog.jpg", "/here/dog.jpg", ("A dog.",), (("a", "dog"),), "train")
CAT = Example("cat.jpg", "/here/cat.jpg", ("A cat.",), (("a", "cat"),), "val")
DATASET = Dataset("pets", (DOG, CAT))


def test_split():
    assert DATASET.split("train") == [DOG]
    assert DATASET.split("val") == [CAT]
    with pytest.raises(CaptionerError, match='pets has no split "test": choose one of train, val'):
        DATASET.split("test")


def test_clips_are_known_by_their_names():
    assert not DATASET.has_clips
    clip = dataclasses.replace(CAT, id="cat", path="/here/Cat.AVI")
    assert Dataset("pets", (DOG, clip)).has_clips


def test_refuses_empty_and_repeated_pictures():
    with pytest.raises(CaptionerError, match="pets has no captions"):
        Dataset("pets", ())
    with pytest.raises(CaptionerError, match=r"lists the image dog\.jpg 2 times"):
        Dataset("pets", (DOG, CAT, DOG))


def test_fingerprint_changes_with_the_content_and_not_with_the_folder():
    assert len(bytes.fromhex(DATASET.fingerprint())) == 32
    moved = dataclasses.replace(DOG, path="/there/dog.jpg")
    assert Dataset("other", (moved, CAT)).fingerprint() == DATASET.fingerprint()
    changes = [
        {"id": "wolf.jpg"},
        {"path": "/here/dog.png"},
        {"captions": ("A wolf.",)},
        {"captions": ("A dog.", "A dog.")},
        {"split": "test"},
    ]
    changed = [Dataset("pets", (dataclasses.replace(DOG, **c), CAT)) for c in changes]
    prints = {dataset.fingerprint() for dataset in (DATASET, *changed)}
    assert len(prints) == 1 + len(changes)
    assert Dataset("pets", (CAT, DOG)).fingerprint() not in prints
