import json

import pytest

from captioner.datasets.readers import read_dataset
from captioner.errors import CaptionerError
from captioner.evaluation.references import read_references

KARPATHY = {
    "images": [
        {
            "filename": name,
            "imgid": place,
            "split": split,
            "sentences": [{"raw": f"{name} {n} .", "tokens": [name, str(n)]} for n in (1, 2)],
        }
        for place, (name, split) in enumerate(
            [("a.jpg", "train"), ("b.jpg", "test"), ("c.jpg", "restval"), ("d.jpg", "test")]
        )
    ]
}


@pytest.fixture
def karpathy(tmp_path):
    path = tmp_path / "dataset.json"
    path.write_text(json.dumps(KARPATHY))
    return path


def test_karpathy(karpathy):
    truth = read_references(karpathy)
    assert truth.captions == {
        "b.jpg": ["b.jpg 1 .", "b.jpg 2 ."],
        "d.jpg": ["d.jpg 1 .", "d.jpg 2 ."],
    }
    assert truth.files == {"b.jpg": "b.jpg", "d.jpg": "d.jpg"}
    assert truth.training == ["a.jpg 1 .", "a.jpg 2 .", "c.jpg 1 .", "c.jpg 2 ."]
    assert len(read_references(karpathy, split="all").captions) == 4


def test_karpathys_images_go_by_the_names_that_the_results_use(karpathy):
    assert list(read_references(karpathy, image_ids=["1", "3"]).captions) == ["1", "3"]
    content = {"images": [dict(image, cocoid=900 + image["imgid"]) for image in KARPATHY["images"]]}
    karpathy.write_text(json.dumps(content))
    truth = read_references(karpathy, image_ids=["901", "903"])
    assert truth.files == {"901": "b.jpg", "903": "d.jpg"}


def test_coco_captions(tmp_path):
    path = tmp_path / "captions_val.json"
    content = {
        "images": [{"id": 7, "file_name": "7.jpg"}, {"id": 8, "file_name": "8.jpg"}],
        "annotations": [
            {"id": 1, "image_id": 7, "caption": "A dog."},
            {"id": 2, "image_id": 8, "caption": "A cat."},
            {"id": 3, "image_id": 7, "caption": "One dog."},
        ],
    }
    path.write_text(json.dumps(content))
    truth = read_references(path)
    assert truth.captions == {"7": ["A dog.", "One dog."], "8": ["A cat."]}
    assert truth.files == {"7": "7.jpg", "8": "8.jpg"}
    content["annotations"].pop(1)
    path.write_text(json.dumps(content))
    with pytest.raises(CaptionerError, match=r"1 image \(8\)"):
        read_references(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", 'image,caption\nx.jpg,"A dog, asleep."\ny.jpg,A cat.\nx.jpg,A dog.\n'),
        (
            "t.jsonl",
            '{"image": "x.jpg", "caption": "A dog, asleep."}\n'
            '{"image": "y.jpg", "caption": "A cat."}\n\n{"image": "x.jpg", "caption": "A dog."}\n',
        ),
        ("t.txt", "x.jpg#0\tA dog, asleep.\ny.jpg#0\tA cat.\nx.jpg#1\tA dog.\n"),
    ],
)
def test_tables_and_token_files_without_splits(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    truth = read_references(tmp_path / name)
    assert truth.captions == {"x.jpg": ["A dog, asleep.", "A dog."], "y.jpg": ["A cat."]}


def test_a_column_of_splits_is_heeded(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("image_id,caption,split\n1,A dog.,train\n2,A cat.,test\n")
    assert read_references(path).captions == {"2": ["A cat."]}
    with pytest.raises(CaptionerError, match='"val": choose one of test, train'):
        read_references(path, split="val")


@pytest.mark.data
@pytest.mark.parametrize("name", ["dataset_flickr8k.json", "Flickr8k.token.txt"])
@pytest.mark.parametrize("split", ["val", "test"])
def test_flickr8k_is_what_the_data_set_reader_reads(flickr8k, name, split):
    truth = read_references(flickr8k / name, split=split)
    peer = read_dataset(flickr8k / "dataset_flickr8k.json").split(split)
    assert truth.captions.keys() == {example.id for example in peer}
    if name.endswith(".json"):
        assert truth.captions == {e.id: list(e.captions) for e in peer}
    assert all(len(captions) == 5 for captions in truth.captions.values())
    assert len(truth.training) == 30_000


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("r.json", "{"),
        ("r.json", "[]"),
        ("r.json", '{"images": [{}]}'),
        ("r.json", '{"images": []}'),
        ("r.json", '{"annotations": [{"image_id": 1}]}'),
        ("r.csv", "picture,words\n1,2\n"),
        ("r.csv", "image,caption\n"),
        ("r.csv", "image,caption\nx.jpg,\n"),
        ("r.jsonl", "[1]\n"),
        ("r.jsonl", "no\n"),
        ("r.txt", "\n"),
        ("r.xml", "no\n"),
    ],
)
def test_other_files_are_refused_with_their_name(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(CaptionerError, match=name) as refusal:
        read_references(tmp_path / name)
    assert "\n" not in str(refusal.value)
