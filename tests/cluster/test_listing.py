import io
import os
import tarfile

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from captioner.cluster.item import StoredFile
from captioner.cluster.listing import list_items
from captioner.cluster.shards import read_values
from captioner.errors import CaptionerError

NAMES = ("a.jpg", "b10.png", "b9.png", "clip.mp4")


@pytest.fixture
def folder(tmp_path):
    """A folder with media and other files, whose content is their name."""
    (tmp_path / "inner").mkdir()
    for name in (*NAMES, "notes.md", "inner/c.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def paths(*sources, **options):
    return [item.path for item in list_items(map(str, sources), **options)]


def contents(*sources, **options):
    """What a worker would read, by path."""
    found = {}
    for item in list_items(map(str, sources), **options):
        value = next(iter(read_values([item]))) if item.kind == "parquet" else None
        with StoredFile(item.path, item=item, content=value).fetched() as path:
            found[item.path] = path.read_bytes()
    return found


def write_tar(path, names, mode="w"):
    with tarfile.open(path, mode) as shard:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(name)
            shard.addfile(member, io.BytesIO(name.encode()))
    return path


def test_folders_are_listed_as_caption_lists_them(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert paths(".") == ["./a.jpg", "./b9.png", "./b10.png", "./clip.mp4"]
    assert paths("*.png", "a.jpg", "missing.jpg") == ["b9.png", "b10.png", "a.jpg", "missing.jpg"]
    assert paths(folder, recursive=True)[-1] == str(folder / "inner" / "c.jpg")
    (item,) = list_items(["a.jpg"])
    assert item.file == str(folder / "a.jpg")  # a worker's current folder is another one
    before = item.version
    os.utime("a.jpg", ns=(1, 1))
    assert next(list_items(["a.jpg"])).version != before


def test_a_path_comes_once(folder):
    assert paths(folder, folder / "a.jpg", folder) == [
        str(folder / name) for name in ("a.jpg", "b9.png", "b10.png", "clip.mp4")
    ]


def test_object_stores_are_listed(folder):
    system = fsspec.filesystem("memory")
    root = f"/{folder.name}"
    for name in (*NAMES, "notes.md", "inner/c.jpg"):
        system.pipe_file(f"{root}/{name}", name.encode())
    url = f"memory:/{root}"
    assert paths(url) == [f"memory:/{root}/{name}" for name in NAMES]
    assert paths(url, recursive=True) == sorted(
        f"memory:/{root}/{name}" for name in (*NAMES, "inner/c.jpg")
    )
    assert paths(f"{url}/*.png") == [f"{url}/b10.png", f"{url}/b9.png"]
    assert contents(f"{url}/a.jpg") == {f"{url}/a.jpg": b"a.jpg"}
    before = next(list_items([f"{url}/a.jpg"])).version
    system.pipe_file(f"{root}/a.jpg", b"another picture")
    assert next(list_items([f"{url}/a.jpg"])).version != before
    with pytest.raises(CaptionerError, match="nowhere"):
        paths(f"{url}/nowhere")


def test_lists_name_paths_and_addresses(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "list.txt").write_text("a.jpg\n\nhttps://example.org/dog.jpg\nmissing.jpg\n")
    assert paths("list.txt") == ["a.jpg", "https://example.org/dog.jpg", "missing.jpg"]
    first, remote, missing = list_items(["list.txt"])
    assert first.version == next(list_items(["a.jpg"])).version != ""
    assert (remote.file, remote.version, missing.version) == (remote.path, "", "")


def test_members_of_tar_shards(folder):
    shard = write_tar(folder / "000.tar", ["1.jpg", "1.txt", "2.png", "deep/3.jpg"])
    assert contents(shard) == {
        f"{shard}/{name}": name.encode() for name in ("1.jpg", "2.png", "deep/3.jpg")
    }
    assert paths(folder)[-3:] == [f"{shard}/{name}" for name in ("1.jpg", "2.png", "deep/3.jpg")]


def test_compressed_and_damaged_shards_are_named(folder):
    for name, mode in (("zipped.tar", "w:gz"), ("cut.tar", "w")):
        path = write_tar(folder / name, ["1.jpg", "2.jpg"], mode)
        if mode == "w":
            path.write_bytes(path.read_bytes()[:700])
        with pytest.raises(CaptionerError, match=name):
            paths(path)
    (folder / "no.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(CaptionerError, match=r"no\.parquet"):
        paths(folder / "no.parquet")


@pytest.mark.parametrize("form", ["bytes", "struct"])
def test_parquet_with_bytes(folder, form):
    values = [f"{n}".encode() * 50 for n in range(200)] + [None]
    column = [{"bytes": v, "path": "x"} for v in values] if form == "struct" else values
    path = folder / "images.parquet"
    pq.write_table(pa.table({"id": range(201), "image": column}), path, row_group_size=90)
    found = contents(path)
    assert list(found) == [f"{path}/{n}" for n in range(201)]
    assert list(found.values()) == [value or b"" for value in values]


def test_values_of_a_unit_are_read_together(folder):
    path = folder / "images.parquet"
    pq.write_table(pa.table({"jpg": [f"{n}".encode() for n in range(300)]}), path)
    items = list(list_items([str(path)]))[130:263]
    assert list(read_values(items)) == [f"{n}".encode() for n in range(130, 263)]
    assert list(read_values([items[0], items[5]])) == [b"130", b"135"]


def test_parquet_with_paths(folder):
    path = folder / "table.parquet"
    pq.write_table(
        pa.table({"caption": ["x", "y"], "path": ["a.jpg", "s3://bucket/dog.jpg"]}), path
    )
    first, second = list_items([str(path)])
    assert (first.path, first.file) == ("a.jpg", str(folder / "a.jpg"))
    assert first.version
    assert second.file == "s3://bucket/dog.jpg"
    with pytest.raises(CaptionerError, match="no column nosuch"):
        paths(path, column="nosuch")
    assert paths(path, column="caption") == ["x", "y"]
