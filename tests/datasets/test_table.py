import csv
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captioner.datasets.readers import read_dataset
from captioner.datasets.table import read_table, split_images
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
    assert (dog.id, dog.path, dog.split) == ("dog.jpg", str(folder / "dog.jpg"), "train")
    assert dog.captions == ("A dog, asleep.", "Dog’s nap")
    assert dog.tokens == (("a", "dog", "asleep"), ("dog", "s", "nap"))
    assert (cat.id, cat.path, cat.split) == (
        "sub/cat.jpg",
        str(folder / "sub" / "cat.jpg"),
        "val",
    )
    assert cat.tokens == (("a", "big", "cat"),)


def test_relative_and_absolute_images(folder):
    (folder / "tables").mkdir()
    (folder / "tables" / "dog.jpg").touch()
    text = f"image,caption\ndog.jpg,A dog\n{folder / 'dog.jpg'},A dog\n"
    table = write(folder, "tables/mine.csv", text)
    paths = [e.path for e in read_table(table).examples]
    assert paths == [str(folder / "tables" / "dog.jpg"), str(folder / "dog.jpg")]
    (example,) = read_table(table, folder).examples  # one image by two names
    assert (example.path, len(example.captions)) == (str(folder / "dog.jpg"), 2)


def test_splits_by_hash_are_steady(folder):
    names = ["dog.jpg", *(f"{n}.jpg" for n in range(4000))]
    rows = [json.dumps({"image": name, "caption": "a dog"}) for name in names]
    dataset = read_table(write(folder, "all.jsonl", "\n".join(rows)))
    splits = {e.id: e.split for e in dataset.examples}
    assert set(splits.values()) == {"train", "val", "test"}
    # 4,001 draws: 0.9 +- 5 standard deviations of 0.0047, 0.05 +- 5 of 0.0034.
    assert len(dataset.split("train")) / len(names) == pytest.approx(0.9, abs=0.024)
    assert len(dataset.split("val")) / len(names) == pytest.approx(0.05, abs=0.017)
    fewer = read_table(write(folder, "fewer.jsonl", "\n".join([rows[0], *rows[350:20:-1]])))
    assert all(e.split == splits[e.id] for e in fewer.examples)


captions = st.text(st.characters(exclude_categories=["Cs"]), max_size=30).map("a{}".format)


@settings(deadline=None)
@given(st.lists(captions, min_size=1, max_size=9))
def test_any_caption_survives_json_lines(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("table")
    (folder / "dog.jpg").touch()
    rows = [json.dumps({"image": "dog.jpg", "caption": c}, ensure_ascii=False) for c in texts]
    path = write(folder, "mine.jsonl", "\n".join(rows))
    assert list(read_table(path).examples[0].captions) == texts


@settings(deadline=None)
@given(st.lists(captions.filter(lambda c: "\r" not in c), min_size=1, max_size=9))
def test_any_caption_survives_csv(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("table")
    (folder / "dog.jpg").touch()
    with (folder / "mine.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("image", "caption"), *(("dog.jpg", c) for c in texts)])
    assert list(read_table(folder / "mine.csv").examples[0].captions) == texts


@pytest.mark.parametrize("count", [1, 3, 4, 5, 10, 20, 50, 100, 199])
def test_few_images_have_some_for_validation(folder, count):
    names = [f"{n}.jpg" for n in range(count)]
    splits = split_images(names)
    assert list(splits) == names
    val = sum(split == "val" for split in splits.values())
    assert val == {1: 0, 3: 0, 4: 1, 5: 1, 10: 2, 20: 4, 50: 5, 100: 10, 199: 19}[count]
    assert sum(split == "train" for split in splits.values()) == count - val


A_DOG = [("dog.jpg", ("A dog, asleep",))]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("excel.csv", "\ufeffImage ; Caption\r\n dog.jpg ;A dog, asleep;;\r\n;;;\r\n"),
        ("tabs.tsv", "file_name\ttext\ndog.jpg\tA dog, asleep\n"),
        ("bars.csv", "image_name| comment_number| comment\ndog.jpg| 0| A dog, asleep\n"),
        ("captions.txt", "image,caption\ndog.jpg,A dog, asleep\n"),
        ("captions.txt", 'image,caption\ndog.jpg,"A dog, asleep"\n'),
        ("token.txt", "dog.jpg#0\tA dog, asleep\n"),
        ("plain.csv", "dog.jpg,A dog, asleep\n"),
        ("reversed.csv", 'Description,"File name"\n"A dog, asleep",dog.jpg\n'),
        ("blank.csv", "image,caption\n\n./dog.jpg ,A dog, asleep\n\n"),
        ("stem.csv", "image,caption\ndog,A dog, asleep\n"),
        ("hf.jsonl", '{"file_name": "dog.jpg", "text": "A dog, asleep"}\n'),
        ("list.jsonl", '{"image": "dog.jpg", "captions": ["A dog, asleep"]}\n'),
        ("neuraltalk2.json", '[{"file_path": "dog.jpg", "captions": ["A dog, asleep"]}]'),
    ],
)
def test_tables_as_people_have_them(folder, name, text):
    dataset = read_dataset(write(folder, name, text))
    assert [(Path(e.path).name, e.captions) for e in dataset.examples] == A_DOG
    assert Path(dataset.examples[0].path).is_file()
    assert dataset.faults == ()


def test_excels_unicode_text(folder):
    (folder / "mine.txt").write_text("image\tcaption\ndog.jpg\tein Hündchen\n", "utf-16")
    assert read_dataset(folder / "mine.txt").examples[0].captions == ("ein Hündchen",)


def test_images_beside_the_table_are_found(tmp_path):
    (tmp_path / "Images").mkdir()
    (tmp_path / "Images" / "1.jpg").touch()
    (tmp_path / "captions.txt").write_text("image,caption\n1.jpg,A dog .\n1.jpg,A cat .\n")
    (example,) = read_dataset(tmp_path).examples
    assert example.path == str(tmp_path / "Images" / "1.jpg")
    assert example.captions == ("A dog .", "A cat .")


def test_one_image_by_several_names_is_one(folder):
    table = write(
        folder, "t.csv", "image,caption\ndog.jpg,one\n./dog.jpg,two\ndog.jpg ,three\ndog,four\n"
    )
    (example,) = read_table(table).examples
    assert example.captions == ("one", "two", "three", "four")


def test_paths_of_windows(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "dog.jpg").touch()
    table = write(tmp_path, "t.csv", "image,caption\nsub\\dog.jpg,A dog\n")
    assert read_table(table).examples[0].path == str(tmp_path / "sub" / "dog.jpg")


def test_a_name_without_suffix_that_two_images_have_is_neither(folder):
    (folder / "dog.png").touch()
    table = write(folder, "t.csv", "image,caption\ndog,A dog\ndog.jpg,A dog\n")
    assert [Path(e.path).name for e in read_table(table).examples] == ["dog", "dog.jpg"]


@pytest.mark.parametrize(
    ("written", "split"),
    [("Train", "train"), ("training", "train"), ("validation", "val"), ("dev", "val"),
     ("VAL ", "val"), ("valid", "val"), ("testing", "test"), ("test", "test")],
)  # fmt: skip
def test_splits_by_other_names(folder, written, split):
    table = write(folder, "t.csv", f"image,caption,Split\ndog.jpg,A dog,{written}\n")
    assert read_table(table).examples[0].split == split


def test_an_empty_split_is_chosen_as_without_a_column(folder):
    rows = "".join(f"{n}.jpg,A dog,\n" for n in range(8))
    table = write(folder, "t.csv", f"image,caption,split\ndog.jpg,A dog,test\n{rows}")
    splits = [e.split for e in read_table(table).examples]
    assert splits[0] == "test" and sorted(splits[1:]) == ["train"] * 6 + ["val"] * 2


def test_an_image_that_has_a_split_in_one_row_has_it(folder):
    table = write(folder, "t.csv", "image,caption,split\ndog.jpg,One,\ndog.jpg,Two,val\n")
    (example,) = read_table(table).examples
    assert (example.split, len(example.captions)) == ("val", 2)


def test_a_folder_with_a_text_beside_each_image(tmp_path):
    for name in ("a.jpg", "b.png", "c.jpg", "d.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "a.txt").write_text("a dog\n\nan old dog\n")
    (tmp_path / "b.png.txt").write_text("a cat")
    (tmp_path / "c.txt").write_text(" \n")
    dataset = read_dataset(tmp_path)
    assert [(e.id, e.captions) for e in dataset.examples] == [
        ("a.jpg", ("a dog", "an old dog")),
        ("b.png", ("a cat",)),
    ]
    assert dataset.faults == (f"{tmp_path / 'c.txt'} is empty: write a caption or remove it",)
    with pytest.raises(CaptionerError, match=r"c\.txt is empty.*correct them"):
        read_dataset(tmp_path, strict=True)


FAULTS = [
    ("t.csv", "image,split,caption\ndog.jpg,train\n", "{}, line 2, has an empty caption"),
    ("t.csv", "caption,image\nA dog,dog.jpg,asleep\n", "{}, line 2, has more cells"),
    ("t.csv", "image,caption\ndog.jpg\n", "{}, line 2, has an empty caption"),
    ("t.csv", "image,caption\ndog.jpg,...\n", "{}, line 2, has an empty"),
    ("t.csv", "image,caption\n,A dog\n", "{}, line 2, has no image"),
    ("t.csv", "image,caption,split\ndog.jpg,A dog,trian\n", "a split other than train, val"),
    ("t.jsonl", '{"image": "dog.jpg"}', "{}, line 1, lacks caption"),
    ("t.jsonl", '{"image": "dog.jpg",', "{}, line 1, is not JSON"),
    ("t.jsonl", '["dog.jpg", "A dog"]', "{}, line 1, is not an object"),
    ("t.jsonl", '{"image": "dog.jpg", "caption": 7}', "{}, line 1, has an empty caption"),
    ("t.jsonl", '{"image": true, "caption": "A dog"}', "{}, line 1, has no image"),
    ("t.jsonl", r'{"image": "dog.jpg", "caption": "\ud800"}', "{}, line 1, is not JSON"),
    ("t.json", '[{"image": "dog.jpg"}]', "{}, entry 1, lacks caption"),
]


@pytest.mark.parametrize(("name", "text", "complaint"), FAULTS)
def test_a_table_without_a_right_row_is_refused(folder, name, text, complaint):
    path = write(folder, name, text)
    with pytest.raises(CaptionerError) as caught:
        read_table(path)
    assert complaint.format(path) in str(caught.value)


@pytest.mark.parametrize(("name", "text", "complaint"), FAULTS)
def test_a_faulty_row_is_left_out_and_told(folder, name, text, complaint):
    (folder / "cat.jpg").touch()
    right = {
        "t.csv": {"image": "cat.jpg", "caption": "A cat", "split": "train"},
        "t.jsonl": '\n{"image": "cat.jpg", "caption": "A cat"}',
        "t.json": ', {"image": "cat.jpg", "caption": "A cat"}]',
    }[name]
    if isinstance(right, dict):
        right = ",".join(right[column] for column in text.split("\n")[0].split(","))
    text = text.removesuffix("]") if name == "t.json" else text
    path = write(folder, name, text + right)
    dataset = read_table(path)
    assert [e.id for e in dataset.examples] == ["cat.jpg"]
    (fault,) = dataset.faults
    assert complaint.format(path) in fault
    with pytest.raises(CaptionerError, match="correct them"):
        read_table(path, strict=True)


def test_an_image_in_two_splits_keeps_the_first(folder):
    text = "image,caption,split\ndog.jpg,A dog,train\ndog.jpg,A cat,test\n"
    path = write(folder, "t.csv", text)
    dataset = read_table(path)
    assert dataset.faults == (
        f"{path}, line 3, puts dog.jpg into test, another row into train: choose one",
    )
    assert (dataset.examples[0].split, dataset.examples[0].captions) == ("train", ("A dog",))


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("t.csv", "", "{} lists no images"),
        ("t.csv", "image,caption\n", "{} lists no images"),
        ("t.csv", "id,words\n7,A dog\n", "the header of {} lacks image and caption"),
        ("t.csv", 'image,caption\ndog.jpg,"A dog\n', "{} is not CSV after line 2"),
        ("t.jsonl", "", "{} lists no images"),
        ("t.json", "{}", "{} is neither a list of objects"),
        ("t.json", "[", "{} is not JSON"),
        ("t.csv", "image,caption\nwolf.jpg,A wolf\n", "none of the first images of {}"),
    ],
)
def test_refuses_what_is_no_table(folder, name, text, complaint):
    path = write(folder, name, text)
    with pytest.raises(CaptionerError) as caught:
        read_table(path)
    assert complaint.replace("{}", str(path)) in str(caught.value)


def test_names_the_folder_in_which_no_picture_is(folder):
    path = write(folder, "mine.csv", "image,caption\ndog.jpg,A dog\n")
    with pytest.raises(CaptionerError) as caught:
        read_table(path, folder / "elsewhere")
    assert str(folder / "elsewhere") in str(caught.value) and "--images" in str(caught.value)
