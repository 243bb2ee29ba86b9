import csv
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captioner.datasets.table import read_table
from captioner.errors import CaptionerError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "dog.jpg").touch()
    return tmp_path


def write(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


CSV = """image,caption,split
dog.jpg,"A dog, asleep.",train
sub/cat.jpg,"A ""big""
cat",val
dog.jpg,Dog’s nap,train
"""
JSONL = r"""{"image": "dog.jpg", "caption": "A dog, asleep.", "split": "train"}
{"image": "sub/cat.jpg", "caption": "A \"big\"\ncat", "split": "val", "photographer": "me"}

{"image": "dog.jpg", "caption": "Dog\u2019s nap", "split": "train"}
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mine.csv", CSV),
        ("mine.csv", "\ufeff" + CSV.replace("image,caption", "image, caption")),
        ("mine.CSV", CSV.replace("\n", "\r\n")),
        ("mine.jsonl", JSONL),
    ],
)
def test_reads_both_kinds_alike(folder, name, text):
    dataset = read_table(write(folder, name, text))
    assert dataset.name == "mine"
    dog, cat = dataset.examples
    assert (dog.image_id, dog.path, dog.split) == ("dog.jpg", str(folder / "dog.jpg"), "train")
    assert dog.captions == ("A dog, asleep.", "Dog’s nap")
    assert dog.tokens == (("a", "dog", "asleep"), ("dog", "s", "nap"))
    assert (cat.image_id, cat.path, cat.split) == (
        "sub/cat.jpg",
        str(folder / "sub" / "cat.jpg"),
        "val",
    )
    assert cat.tokens == (("a", "big", "cat"),)


def test_relative_and_absolute_pictures(folder):
    (folder / "tables").mkdir()
    text = f"image,caption\ndog.jpg,A dog\n{folder / 'dog.jpg'},A dog\n"
    table = write(folder, "tables/mine.csv", text)
    paths = [e.path for e in read_table(table).examples]
    assert paths == [str(folder / "tables" / "dog.jpg"), str(folder / "dog.jpg")]
    paths = [e.path for e in read_table(table, folder).examples]
    assert paths == [str(folder / "dog.jpg")] * 2


def test_split_by_hash_is_steady(folder):
    names = ["dog.jpg", *(f"{n}.jpg" for n in range(4000))]
    rows = [json.dumps({"image": name, "caption": "a dog"}) for name in names]
    dataset = read_table(write(folder, "all.jsonl", "\n".join(rows)))
    splits = {e.image_id: e.split for e in dataset.examples}
    assert set(splits.values()) == {"train", "val", "test"}
    # 4,001 draws: 0.9 +- 5 standard deviations of 0.0047, 0.05 +- 5 of 0.0034.
    assert len(dataset.split("train")) / len(names) == pytest.approx(0.9, abs=0.024)
    assert len(dataset.split("val")) / len(names) == pytest.approx(0.05, abs=0.017)
    fewer = read_table(write(folder, "fewer.jsonl", "\n".join([rows[0], *rows[50:20:-1]])))
    assert all(e.split == splits[e.image_id] for e in fewer.examples)


captions = st.text(st.characters(exclude_categories=["Cs"]), max_size=30).map("a{}".format)


@given(st.lists(captions, min_size=1, max_size=9))
def test_any_caption_survives_json_lines(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("table")
    (folder / "dog.jpg").touch()
    rows = [json.dumps({"image": "dog.jpg", "caption": c}, ensure_ascii=False) for c in texts]
    path = write(folder, "mine.jsonl", "\n".join(rows))
    assert list(read_table(path).examples[0].captions) == texts


@given(st.lists(captions.filter(lambda c: "\r" not in c), min_size=1, max_size=9))
def test_any_caption_survives_csv(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("table")
    (folder / "dog.jpg").touch()
    with (folder / "mine.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("image", "caption"), *(("dog.jpg", c) for c in texts)])
    assert list(read_table(folder / "mine.csv").examples[0].captions) == texts


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("t.csv", "", "the header of {} lacks image and caption"),
        ("t.csv", "image;caption\ndog.jpg;A dog\n", "the header of {} lacks image and caption"),
        ("t.csv", "image,text\ndog.jpg,A dog\n", "the header of {} lacks caption"),
        ("t.csv", "image,caption\n", "{} lists no pictures"),
        ("t.csv", "image,caption\ndog.jpg,A dog, asleep\n", "{}, line 2, has more cells"),
        ("t.csv", "image,caption\ndog.jpg\n", "{}, line 2, has an empty caption"),
        ("t.csv", "image,caption\ndog.jpg,A dog\ndog.jpg,...\n", "{}, line 3, has an empty"),
        ("t.csv", "image,caption\n,A dog\n", "{}, line 2, names no image"),
        ("t.csv", 'image,caption\ndog.jpg,"A dog\n', "{} is not CSV after line 1"),
        ("t.csv", "image,caption,split\ndog.jpg,A dog,\n", "{}, line 2, has a split other than"),
        ("t.csv", "image,caption,split\ndog.jpg,A dog,trian\n", "a split other than train, val"),
        (
            "t.csv",
            "image,caption,split\ndog.jpg,A dog,train\ndog.jpg,A dog,test\n",
            "{}, line 3, puts dog.jpg into test, another row into train",
        ),
        ("t.jsonl", "", "{} lists no pictures"),
        ("t.jsonl", '{"image": "dog.jpg"}', "{}, line 1, lacks caption"),
        ("t.jsonl", '{"image": "dog.jpg",', "{}, line 1, is not JSON"),
        ("t.jsonl", '["dog.jpg", "A dog"]', "{}, line 1, is not an object"),
        ("t.jsonl", '{"image": "dog.jpg", "caption": 7}', "{}, line 1, has an empty caption"),
        ("t.jsonl", '{"image": 7, "caption": "A dog"}', "{}, line 1, names no image"),
        ("t.jsonl", r'{"image": "dog.jpg", "caption": "\ud800"}', "{}, line 1, is not JSON"),
        (
            "t.jsonl",
            '{"image": "dog.jpg", "caption": "A dog"}\n'
            '{"image": "cat.jpg", "caption": "A cat", "split": "test"}',
            "{}, line 2, differs from the rows above",
        ),
        ("t.csv", "image,caption\nwolf.jpg,A wolf\n", "none of the first pictures of {}"),
    ],
)
def test_refuses_broken_tables(folder, name, text, complaint):
    path = write(folder, name, text)
    with pytest.raises(CaptionerError) as caught:
        read_table(path)
    assert complaint.format(path) in str(caught.value)


def test_names_the_folder_in_which_no_picture_is(folder):
    path = write(folder, "mine.csv", "image,caption\ndog.jpg,A dog\n")
    with pytest.raises(CaptionerError) as caught:
        read_table(path, folder / "elsewhere")
    assert str(folder / "elsewhere") in str(caught.value) and "images_dir" in str(caught.value)
