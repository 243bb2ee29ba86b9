from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captioner.datasets import readers
from captioner.datasets.folders import stratified_split
from captioner.errors import CaptionerError
from captioner.results import ACTIVITY


def read_dataset(path, seed=1):
    return readers.read_dataset(path, task=ACTIVITY, seed=seed)


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def test_a_flat_folder_tells_labels_by_names(tmp_path):
    names = [f"{label}{n}.mp4" for label in ("about", "camera") for n in range(1, 11)]
    touch(tmp_path, *names, "notes.txt", ".hidden1.mp4")
    dataset = read_dataset(tmp_path, seed=1)
    assert sorted(example.id for example in dataset.examples) == sorted(names)
    assert dataset.labels == ("about", "camera")
    count = Counter((example.split, example.label) for example in dataset.examples)
    assert {count[part, label] for part in ("val", "test") for label in dataset.labels} == {2}
    assert {count["train", label] for label in dataset.labels} == {6}


def test_a_name_without_a_label_is_named(tmp_path):
    touch(tmp_path, "about1.mp4", "17.mp4")
    with pytest.raises(CaptionerError, match=r"17\.mp4 has no label in its name"):
        read_dataset(tmp_path)


def test_a_folder_a_class_with_films_and_with_folders_of_frames(tmp_path):
    touch(tmp_path, "wave/a.mp4", "wave/b/1.jpg", "wave/b/2.jpg", "nod/c/1.png", "nod/c/2.png")
    touch(tmp_path, "nod/readme.txt")
    dataset = read_dataset(tmp_path)
    assert {e.id: e.label for e in dataset.examples} == {
        "wave/a.mp4": "wave",
        "wave/b": "wave",
        "nod/c": "nod",
    }


def test_folders_named_like_splits_are_splits(tmp_path):
    touch(
        tmp_path, "train/wave/1.mp4", "train/nod/1.mp4", "validation/wave/2.mp4", "test/nod/3.mp4"
    )
    dataset = read_dataset(tmp_path)
    assert {e.id: e.split for e in dataset.examples} == {
        "train/wave/1.mp4": "train",
        "train/nod/1.mp4": "train",
        "validation/wave/2.mp4": "val",
        "test/nod/3.mp4": "test",
    }
    touch(tmp_path / "other", "train/wave/1.mp4", "train/nod/1.mp4")
    with pytest.raises(CaptionerError, match="no folder val"):
        read_dataset(tmp_path / "other")


@pytest.mark.parametrize("names", [(), ("readme.txt",), ("only/1.mp4",)])
def test_a_folder_without_two_labels_is_refused(tmp_path, names):
    touch(tmp_path, *names)
    with pytest.raises(CaptionerError, match=r"has no folders|has only the label 'only'"):
        read_dataset(tmp_path)


def test_no_folder_is_refused(tmp_path):
    with pytest.raises(CaptionerError, match="is not a folder"):
        read_dataset(tmp_path / "absent")


@pytest.fixture
def ucf101(tmp_path):
    train = [
        f"{label}/v_{label}_g{group:02}_c{clip:02}.avi"
        for label in ("Archery", "Basketball")
        for group in range(8, 18)
        for clip in (1, 2, 3)
    ]
    test = ["Archery/v_Archery_g01_c01.avi", "Basketball/v_Basketball_g02_c01.avi"]
    touch(tmp_path / "UCF-101", *train, *test)
    (tmp_path / "classInd.txt").write_text("1 Archery\n2 Basketball\n")
    lines = [f"{name} {1 + name.startswith('B')}" for name in train]
    (tmp_path / "trainlist01.txt").write_text("\r\n".join(lines))
    (tmp_path / "testlist01.txt").write_text("\n".join(test) + "\n")
    return tmp_path


def test_ucf101_keeps_its_split_and_divides_no_film(ucf101):
    dataset = read_dataset(ucf101)
    assert Counter(e.split for e in dataset.examples) == {"train": 48, "val": 12, "test": 2}
    assert {e.label for e in dataset.split("test")} == {"Archery", "Basketball"}
    groups = [{e.id.rpartition("_")[0] for e in dataset.split(part)} for part in ("train", "val")]
    assert not groups[0] & groups[1]
    assert all(e.label == e.id.partition("/")[0] for e in dataset.examples)


def test_ucf101_errors_name_the_line(ucf101):
    (ucf101 / "trainlist01.txt").write_text("Archery/v_Archery_g08_c01.avi 3\n")
    with pytest.raises(CaptionerError, match=r"trainlist01\.txt, line 1, has a class that"):
        read_dataset(ucf101)
    (ucf101 / "trainlist01.txt").unlink()
    with pytest.raises(CaptionerError, match=r"cannot read .*trainlist01"):
        read_dataset(ucf101)


labels_of_names = st.dictionaries(st.text(max_size=5), st.sampled_from("abc"), max_size=60)


@given(labels_of_names, st.integers(0, 2**31))
def test_split_is_stratified_and_depends_on_nothing_but_names_and_seed(labels, seed):
    split = stratified_split(labels, seed)
    assert split == stratified_split(dict(reversed(labels.items())), seed)
    assert split.keys() == labels.keys()
    for label, size in Counter(labels.values()).items():
        count = Counter(split[name] for name in labels if labels[name] == label)
        for part, share in (("train", 0.6), ("val", 0.2), ("test", 0.2)):
            assert abs(count[part] - share * size) <= 1
        others = {name: x for name, x in labels.items() if x == label}
        assert stratified_split(others, seed).items() <= split.items()


def test_another_seed_is_another_split():
    labels = {f"yes{n}": "yes" for n in range(50)}
    assert stratified_split(labels, 1) != stratified_split(labels, 2)
