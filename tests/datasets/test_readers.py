import json
import subprocess
import sys

import pytest

from captioner.datasets.coco import read_karpathy
from captioner.datasets.flickr8k import read_flickr8k
from captioner.datasets.readers import read_dataset
from captioner.datasets.table import read_table
from captioner.errors import CaptionerError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "dog.jpg").touch()
    return tmp_path


def add_karpathy(folder, name="dataset_pets.json"):
    sentences = [{"raw": "A dog.", "tokens": ["a", "dog"]}]
    image = {"filename": "dog.jpg", "split": "train", "sentences": sentences}
    (folder / name).write_text(json.dumps({"dataset": "pets", "images": [image]}))
    return folder / name


def add_table(folder, name="captions.csv"):
    (folder / name).write_text("image,caption\nimages/dog.jpg,A dog.\n")
    return folder / name


def add_flickr8k(folder):
    (folder / "Flickr8k.token.txt").write_text("dog.jpg#0\tA dog .\n")
    for split, text in (("train", "dog.jpg\n"), ("dev", ""), ("test", "")):
        (folder / f"Flickr_8k.{split}Images.txt").write_text(text)


def test_karpathys_file(folder):
    path = add_karpathy(folder)
    add_flickr8k(folder)
    assert read_dataset(path) == read_dataset(str(folder)) == read_karpathy(path)


def test_table(folder):
    path = add_table(folder)
    assert read_dataset(path) == read_dataset(folder) == read_table(path)


def test_json_lines(folder):
    (folder / "captions.jsonl").write_text('{"image": "dog.jpg", "caption": "A dog."}\n')
    pictures = folder / "images"
    assert read_dataset(folder, pictures) == read_table(folder / "captions.jsonl", pictures)


def test_flickr8k(folder):
    add_flickr8k(folder)
    assert read_dataset(folder) == read_flickr8k(folder)
    (folder / "images").rename(folder / "mine")
    assert read_dataset(folder, folder / "mine") == read_flickr8k(folder, folder / "mine")


def test_refuses_what_it_cannot_tell(folder):
    with pytest.raises(CaptionerError, match="has no readable data set"):
        read_dataset(folder)
    with pytest.raises(CaptionerError, match=r"dog\.jpg is not a readable data set"):
        read_dataset(folder / "images" / "dog.jpg")
    with pytest.raises(CaptionerError, match=r"none\.csv does not exist"):
        read_dataset(folder / "none.csv")
    add_karpathy(folder)
    add_table(folder)
    with pytest.raises(CaptionerError, match=r"dataset_pets\.json and captions\.csv: name the one"):
        read_dataset(folder)


def test_readers_import_nothing_heavy():
    code = "import sys, captioner.datasets.readers; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"numpy", "keras", "tensorflow", "PIL"} & set(loaded)
