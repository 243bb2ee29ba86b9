"""Read from and written to an S3 server on loopback, with credentials of the environment."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import s3fs
from films import SAMPLES
from test_listing import write_tar

from captioner.cluster.item import Item, StoredFile, read_key
from captioner.cluster.listing import list_items, version_of
from captioner.cluster.object_store import Folder
from captioner.cluster.partitions import Known, Partitions
from captioner.cluster.plan import Pending, make_units
from captioner.cluster.worker import Job, Worker
from captioner.errors import CaptionerError


def put(url, content):
    s3fs.S3FileSystem().pipe_file(url, content)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_from_a_bucket_into_a_bucket(s3_bucket, tmp_path, fake_captioner, monkeypatch, form):
    for name in ("cat.jpg", "dog.jpg"):
        put(f"{s3_bucket}/photos/{name}", (SAMPLES / name).read_bytes())
    put(f"{s3_bucket}/photos/notes.txt", b"no image")
    put(f"{s3_bucket}/photos/broken.png", b"no image")
    shard = write_tar(tmp_path / "s.tar", ["1.jpg"])
    put(f"{s3_bucket}/photos/s.tar", shard.read_bytes())
    table = io.BytesIO()
    pq.write_table(pa.table({"jpg": [(SAMPLES / "coffee.jpg").read_bytes()]}), table)
    put(f"{s3_bucket}/photos/t.parquet", table.getvalue())

    class Fetching:
        """Describes what `fetched` gives."""

        def describe(self, sources, **options):
            for index, source in enumerate(sources):
                with source.fetched() as path:
                    for said in fake_captioner().describe([str(path)]):
                        yield type(said)(source, index, said.caption, said.last, said.frames)

    monkeypatch.setattr(Worker, "_captioner", Fetching())
    job = Job(f"{s3_bucket}/captions", form, "tiny", None)
    items = list(list_items([f"{s3_bucket}/photos/"]))
    photos = f"{s3_bucket}/photos"
    assert sorted(item.path for item in items) == sorted(
        f"{photos}/{name}"
        for name in ("broken.png", "cat.jpg", "dog.jpg", "s.tar/1.jpg", "t.parquet/0")
    )
    rows = {r["path"]: r for unit in make_units(items, 2) for r in Worker(job).do(unit)}
    assert {path for path, row in rows.items() if "error" in row} == {
        f"{photos}/broken.png",
        f"{photos}/s.tar/1.jpg",
    }
    for item in items:
        assert rows[item.path]["key"] == read_key(item)

    partitions = Partitions(Folder(job.out), form)
    pending = Pending(partitions, Known(partitions))
    put(f"{photos}/dog.jpg", (SAMPLES / "rocket.jpg").read_bytes())
    again = [item.path.rpartition("/")[2] for item in pending.of(list_items([f"{photos}/"]))]
    assert sorted(again) == ["1.jpg", "broken.png", "dog.jpg"]
    assert (pending.skipped, pending.changed) == (2, 1)


def test_what_a_store_refuses_is_an_error(s3_bucket):
    with pytest.raises(CaptionerError, match=rf"{s3_bucket}/nothing"):
        list(list_items([f"{s3_bucket}/nothing"]))
    missing = Item(f"{s3_bucket}/dog.jpg", f"{s3_bucket}/dog.jpg")
    assert version_of(missing.file) == ""
    with (
        pytest.raises(CaptionerError, match=r"dog\.jpg"),
        StoredFile(missing.path, item=missing).fetched(),
    ):
        pass
    with pytest.raises(CaptionerError, match="no-such-bucket"):
        Folder("s3://no-such-bucket-of-ours/out").write("a.json", b"1")
