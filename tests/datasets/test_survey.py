import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from captioner.datasets.readers import read_dataset
from captioner.datasets.survey import difference_hash, near_duplicates, survey_dataset


def make_image(path, seed, quality=95):
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 7, 3), np.uint8)
    Image.fromarray(pixels).resize((140, 120), Image.Resampling.BICUBIC).save(path, quality=quality)


@pytest.fixture
def dataset(tmp_path):
    for seed in range(6):
        make_image(tmp_path / f"{seed}.jpg", seed)
    make_image(tmp_path / "copy.jpg", 0, quality=40)
    make_image(tmp_path / "again.png", 3)
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8")
    rows = [
        ("0.jpg", "a dog", "train"),
        ("1.jpg", "a dog", "train"),
        ("2.jpg", "2.jpg", "train"),
        ("3.jpg", "a red cat", "train"),
        ("again.png", "a red cat", "train"),
        ("copy.jpg", "a dog again", "val"),
        ("broken.jpg", "a dog", "train"),
        ("4.jpg", "", "train"),
    ]
    table = "\n".join(",".join(row) for row in [("image", "caption", "split"), *rows])
    (tmp_path / "captions.csv").write_text(table)
    return read_dataset(tmp_path)


def test_survey(dataset):
    survey = survey_dataset(dataset)
    assert survey.images == {"train": 6, "val": 1}
    assert survey.captions == {"train": 6, "val": 1}
    assert survey.words["dog"] == 3 and "again" not in survey.words
    assert list(survey.unreadable) == ["broken.jpg"]
    assert survey.duplicates == [["0.jpg", "copy.jpg"], ["3.jpg", "again.png"]]
    assert survey.crossing == [["0.jpg", "copy.jpg"]]
    assert survey.file_names == ["2.jpg"]
    assert survey.repeated == [("a dog", 3), ("a red cat", 2)]


@given(
    st.dictionaries(st.integers(0, 40), st.integers(0, 2**64 - 1), max_size=30), st.integers(0, 30)
)
def test_groups_are_the_connected_parts(hashes, bits):
    hashes = {str(name): value for name, value in hashes.items()}
    parts = [{name} for name in hashes]
    for one, left in hashes.items():
        for other, right in hashes.items():
            if (left ^ right).bit_count() <= bits:
                touched = [part for part in parts if one in part or other in part]
                parts = [part for part in parts if part not in touched] + [set.union(*touched)]
    groups = near_duplicates(hashes, bits)
    key = sorted
    assert sorted(map(key, groups)) == sorted(key(part) for part in parts if len(part) > 1)


def test_hash_survives_brightness_and_size():
    image = np.random.default_rng(1).integers(40, 160, (8, 9, 3)).astype(np.uint8)
    assert difference_hash(image) == difference_hash(image + 60)
