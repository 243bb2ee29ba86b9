"""Tests of tables of clips and labels."""

from pathlib import Path

import pytest

from captioner.datasets.labelled_table import read_labelled_table
from captioner.datasets.readers import read_dataset
from captioner.errors import CaptionerError
from captioner.results import ACTIVITY


def _table(folder: Path, text: str, name: str = "clips.tsv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def _jhmdb(folder: Path) -> Path:
    """Write a table like JHMDB's: 2 labels, 10 source videos each with 3 clips; no val."""
    rows = [
        f"{label}\tv{label}{video}\tv{label}{video}_{number}\t40\t"
        f"{'test' if video >= 8 else 'train'}\tdata/{label}/v{label}{video}_{number}.avi"
        for label in ("catch", "clap")
        for video in range(10)
        for number in range(3)
    ]
    header = "class\tsource_video\tclip\tframes\tsuggested_split\tpath"
    return _table(folder, "\n".join([header, *rows]) + "\n")


def test_given_test_clips_stay_and_no_source_video_is_in_two_splits(tmp_path: Path) -> None:
    dataset = read_dataset(_jhmdb(tmp_path), task=ACTIVITY)
    assert dataset.labels == ("catch", "clap")
    sources = {
        split: {example.id.rpartition("_")[0] for example in dataset.split(split)}
        for split in ("train", "val", "test")
    }
    assert [len(dataset.split(split)) for split in sources] == [36, 12, 12]
    assert sources["test"] == {
        f"data/{label}/v{label}{n}" for label in ("catch", "clap") for n in (8, 9)
    }
    assert not sources["train"] & sources["val"]
    assert not sources["test"] & (sources["train"] | sources["val"])
    assert dataset.examples[0].path == str(tmp_path / "data/catch/vcatch0_0.avi")


def test_the_drawn_split_depends_on_the_seed_alone(tmp_path: Path) -> None:
    path = _jhmdb(tmp_path)
    first, again, other = (read_labelled_table(path, seed) for seed in (1, 1, 2))
    assert first == again
    assert first.split("val") != other.split("val")


def test_a_split_of_the_table_is_kept(tmp_path: Path) -> None:
    path = _table(
        tmp_path,
        "Clip,Action,Split\na.mp4,wave,Training\nb.mp4,wave,dev\nc.mp4,run,test\n",
        "mine.csv",
    )
    assert {e.id: e.split for e in read_labelled_table(path, seed=1).examples} == {
        "a.mp4": "train", "b.mp4": "val", "c.mp4": "test",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clip\tkind\na.avi\twave\n", "no column for the label"),
        ("name\tlabel\na.avi\twave\n", "no column for the clip"),
        ("clip\tlabel\na.avi\t\n", "line 2, lacks a clip or a label"),
        ("clip\tlabel\na.avi\twave\na.avi\trun\n", "line 3, repeats a.avi"),
        ("clip\tlabel\tsplit\na.avi\twave\tother\n", "correct 'other'"),
        ("clip\tlabel\n", "has no clips"),
        ("", "no column for the clip"),
    ],
)
def test_faults_name_the_file_and_the_fix(tmp_path: Path, text: str, message: str) -> None:
    path = _table(tmp_path, text)
    with pytest.raises(CaptionerError, match=message) as raised:
        read_labelled_table(path, seed=1)
    assert str(path) in str(raised.value)
