import json

import pytest

from captioner.datasets.coco import read_karpathy
from captioner.errors import CaptionerError

# Entries of dataset_coco.json and dataset_flickr8k.json have these keys, among others.
COCO = {
    "dataset": "coco",
    "images": [
        {
            "filepath": "val2014",
            "filename": "COCO_val2014_000000522418.jpg",
            "split": "restval",
            "sentences": [
                {"tokens": ["a", "woman"], "raw": "A woman."},
                {"tokens": ["her", "cake"], "raw": "Her cake"},
            ],
        },
        {
            "filepath": "val2014",
            "filename": "COCO_val2014_000000391895.jpg",
            "split": "test",
            "sentences": [{"tokens": ["karpathys", "own", "token"], "raw": "A man."}],
        },
    ],
}


def write(folder, content):
    path = folder / "dataset_coco.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_coco(tmp_path):
    path = write(tmp_path, COCO)
    pictures = tmp_path / "pictures"
    touch(pictures / "val2014" / "COCO_val2014_000000522418.jpg")
    dataset = read_karpathy(path, pictures)
    assert dataset.name == "coco"
    (train,), (test,) = dataset.split("train"), dataset.split("test")
    assert train.id == "val2014/COCO_val2014_000000522418.jpg"
    assert train.path == str(pictures / "val2014" / "COCO_val2014_000000522418.jpg")
    assert train.captions == ("A woman.", "Her cake")
    assert train.tokens == (("a", "woman"), ("her", "cake"))
    assert test.tokens == (("karpathys", "own", "token"),)


@pytest.mark.parametrize("folder", ["", "images"])
def test_pictures_are_looked_for_beside_the_file(tmp_path, folder):
    touch(tmp_path / folder / "val2014" / "COCO_val2014_000000391895.jpg")
    dataset = read_karpathy(write(tmp_path, COCO))
    assert dataset.examples[0].path == str(tmp_path / folder / dataset.examples[0].id)


def test_refuses_pictures_that_are_elsewhere(tmp_path):
    with pytest.raises(CaptionerError) as caught:
        read_karpathy(write(tmp_path, COCO), tmp_path / "wrong")
    message = str(caught.value)
    assert str(tmp_path / "wrong" / "val2014") in message and "--images" in message


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is not JSON"),
        ('{"images": [', "is not JSON"),
        ([], "is not one of Karpathy's files"),
        ({"annotations": []}, "is not one of Karpathy's files"),
        ({"images": [7]}, "is not one of Karpathy's files"),
        ({"images": [{"filename": "a.jpg", "split": "train"}]}, 'lacks "sentences"'),
        ({"images": []}, "lists no images"),
        (
            {"images": [{"filename": "a.jpg", "split": "train", "sentences": []}]},
            "no caption or an empty one for a.jpg",
        ),
        (
            {
                "images": [
                    {
                        "filename": "a.jpg",
                        "split": "train",
                        "sentences": [{"raw": ".", "tokens": []}],
                    }
                ]
            },
            "no caption or an empty one for a.jpg",
        ),
    ],
)
def test_refuses_other_content(tmp_path, content, complaint):
    (tmp_path / "a.jpg").touch()
    path = write(tmp_path, content)
    with pytest.raises(CaptionerError) as caught:
        read_karpathy(path)
    assert complaint in str(caught.value) and str(path) in str(caught.value)


def test_refuses_missing_and_binary_files(tmp_path):
    with pytest.raises(CaptionerError, match=r"cannot read .*none\.json"):
        read_karpathy(tmp_path / "none.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(CaptionerError, match="not UTF-8"):
        read_karpathy(tmp_path / "binary.json")
