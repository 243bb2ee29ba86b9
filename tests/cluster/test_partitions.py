import pyarrow.dataset as ds
import pytest

from captioner.cluster.object_store import Folder
from captioner.cluster.partitions import Partitions
from captioner.errors import CaptionerError

CAPTION = {"caption": "a dog", "log_prob": -0.5, "confidence": 0.7}
ROWS = [
    {"path": "dog.jpg", **CAPTION, "key": "12", "version": "3-4"},
    {"path": "é\\udcff.jpg", "error": "cannot read it"},
    {"path": "two.jpg", **CAPTION, "partial": True, "captions": [CAPTION, CAPTION]},
    {"path": "dim.jpg", "caption": "", "log_prob": -9.0, "confidence": 0.1, "uncertain": True},
    {"path": "film.mp4", "segments": [{"start": 0.0, "end": 2.5, **CAPTION}], "error": "cut off"},
    {"path": "sign.mp4", "label": "wave", "probability": 0.9, "labels": [{"label": "nod"}]},
]


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_rows_are_read_as_they_were_written(form, tmp_path):
    partitions = Partitions(Folder(str(tmp_path)), form)
    partitions.write(partitions.name("1"), ROWS)
    assert list(partitions.read(partitions.name("1"))) == ROWS
    assert [path.name for path in tmp_path.iterdir()] == partitions.names()


def test_all_parquet_files_are_one_table(tmp_path):
    partitions = Partitions(Folder(str(tmp_path)), "parquet")
    for number, row in enumerate(ROWS):
        partitions.write(partitions.name(f"{number}"), [row])
    table = ds.dataset(tmp_path, format="parquet").to_table()
    assert sorted(table["path"].to_pylist()) == sorted(row["path"] for row in ROWS)


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_damaged_partition_is_named(form, tmp_path):
    partitions = Partitions(Folder(str(tmp_path)), form)
    name = partitions.name("1")
    (tmp_path / name).write_bytes(b'{"path": "dog')
    with pytest.raises(CaptionerError, match=rf"{name}.*delete it"):
        list(partitions.read(name))
