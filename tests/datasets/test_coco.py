import json

import pytest
from PIL import Image

from captioner.datasets.coco import read_coco
from captioner.datasets.readers import read_dataset
from captioner.errors import CaptionerError


def write(path, numbers, **changes):
    """A file like COCO's, with two captions of each image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "info": {"year": 2017},
        "images": [{"id": n, "file_name": f"{n:012}.jpg", "height": 4} for n in numbers],
        "annotations": [
            {"id": 10 * n + k, "image_id": n, "caption": f"A dog , number {k}.\n"}
            for k in (1, 2)
            for n in numbers
        ],
        **changes,
    }
    path.write_text(json.dumps(content))


def draw(folder, numbers):
    folder.mkdir(parents=True, exist_ok=True)
    for n in numbers:
        Image.new("RGB", (4, 4)).save(folder / f"{n:012}.jpg")


def test_official_layout(tmp_path):
    write(tmp_path / "annotations" / "captions_train2017.json", [9, 25])
    write(tmp_path / "annotations" / "captions_val2017.json", [139])
    (tmp_path / "annotations" / "instances_val2017.json").write_text("{}")
    draw(tmp_path / "train2017", [9, 25])
    draw(tmp_path / "val2017", [139])
    for dataset in (read_coco(tmp_path), read_dataset(tmp_path)):
        assert [(e.id, e.split) for e in dataset.examples] == [
            ("9", "train"),
            ("25", "train"),
            ("139", "val"),
        ]
        assert dataset.examples[2].path == str(tmp_path / "val2017" / "000000000139.jpg")
        assert dataset.examples[0].tokens == (
            ("a", "dog", "number", "1"),
            ("a", "dog", "number", "2"),
        )


@pytest.mark.parametrize("folder", ["", "images", "train2014", "images/train2014"])
def test_images_are_found_where_people_put_them(tmp_path, folder):
    write(tmp_path / "captions_train2014.json", [9])
    draw(tmp_path / folder, [9])
    (example,) = read_dataset(tmp_path / "captions_train2014.json").examples
    assert example.path == str(tmp_path / folder / "000000000009.jpg")


def test_images_may_be_elsewhere(tmp_path):
    write(tmp_path / "captions_train2014.json", [9])
    draw(tmp_path / "far" / "away", [9])
    with pytest.raises(CaptionerError, match="--images"):
        read_coco(tmp_path / "captions_train2014.json")
    assert read_coco(tmp_path / "captions_train2014.json", tmp_path / "far" / "away").examples


def test_a_file_of_another_name_is_split_by_hash(tmp_path):
    numbers = range(200)
    write(tmp_path / "captions_mine.json", numbers)
    draw(tmp_path, numbers)
    splits = [e.split for e in read_coco(tmp_path / "captions_mine.json").examples]
    assert splits.count("train") > 160
    assert {"val", "test"} < set(splits)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"annotations": [{"image_id": 7, "caption": "a dog"}]}, "image 7"),
        ({"annotations": [{"image_id": 9, "caption": " . "}]}, "image 9, has an empty caption"),
        ({"images": [{"id": 9}]}, "file_name"),
        ({"annotations": 3}, "not one of COCO's files"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, changes, message):
    write(tmp_path / "captions_val2014.json", [9], **changes)
    draw(tmp_path, [9])
    with pytest.raises(CaptionerError, match=message):
        read_coco(tmp_path / "captions_val2014.json")
    with pytest.raises(CaptionerError, match=r"captions_\*\.json"):
        read_coco(tmp_path.parent)
