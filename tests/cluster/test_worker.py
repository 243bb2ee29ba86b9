"""A worker without Ray: what it writes is what `caption` says."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from films import SAMPLES, photos, write_film

from captioner.cli.caption import main as caption
from captioner.cluster.item import read_key
from captioner.cluster.listing import list_items
from captioner.cluster.object_store import Folder
from captioner.cluster.plan import encode_units, make_units, unit_key
from captioner.cluster.video_parts import divide_video, join_parts, video_seconds
from captioner.cluster.worker import Job, Worker
from captioner.presets.storage import read_preset

IMAGES = [str(SAMPLES / name) for name in ("cat.jpg", "dog.jpg", "coffee.jpg")]
FILM = str(SAMPLES / "shepherd_and_cat.mp4")


@pytest.fixture
def job(tiny_preset, tmp_path):
    return Job(
        out=str(tmp_path / "out"),
        format_name="jsonl",
        settings="tiny",
        preset=read_preset(tiny_preset),
        precision="float32",
        options={"every": None, "batch_size": 16},
    )


def plain_rows(tiny_preset, *files):
    """What `caption` says of files, by path."""
    options = ["--preset", str(tiny_preset), "--precision", "float32", "--jsonl", "--quiet"]
    done = CliRunner().invoke(caption, [*files, *options])
    return {row["path"]: row for row in map(json.loads, done.stdout.splitlines())}


def without_key(row):
    return {k: v for k, v in row.items() if k not in ("key", "version")}


def rows_by_path(worker, items, size=64):
    rows = [row for unit in make_units(items, size) for row in worker.do(unit)]
    assert len({row["path"] for row in rows}) == len(rows)
    return {row["path"]: row for row in rows}


@pytest.mark.slow
def test_rows_are_those_of_caption(tiny_preset, tmp_path, job):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    whole = (SAMPLES / "coffee.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) * 9 // 10])
    broken, cut = str(tmp_path / "broken.jpg"), str(tmp_path / "cut.jpg")
    files = [*IMAGES, FILM, broken, cut, "missing.jpg"]
    rows = rows_by_path(Worker(job), list(list_items(files)))
    plain = plain_rows(tiny_preset, *files)
    assert plain[cut]["partial"]
    assert {path: without_key(row) for path, row in rows.items()} == plain
    for item in list_items(files):
        assert rows[item.path].get("key", "") == read_key(item)
        assert rows[item.path].get("version", "") == item.version


@pytest.mark.slow
def test_rows_from_shards_are_those_of_their_files(tiny_preset, tmp_path, job):
    shard, table = tmp_path / "s.tar", tmp_path / "t.parquet"
    with tarfile.open(shard, "w") as archive:
        for name in (*IMAGES, FILM):
            archive.add(name, name.rpartition("/")[2])
    contents = [Path(name).read_bytes() for name in (*IMAGES, FILM)]
    pq.write_table(pa.table({"image": contents}), table)
    plain = list(plain_rows(tiny_preset, *IMAGES, FILM).values())
    for source in (shard, table):
        rows = list(rows_by_path(Worker(job), list(list_items([str(source)]))).values())
        assert [
            {**without_key(r), "path": p["path"]} for r, p in zip(rows, plain, strict=True)
        ] == plain
        assert len({row["key"] for row in rows}) == 4


@pytest.mark.slow
@pytest.mark.parametrize("every", [None, 1.0])
def test_a_film_in_parts_has_the_row_of_the_film(tiny_preset, tmp_path, job, every):
    pictures = photos("cat.jpg", "rocket.jpg", "dog.jpg", "coffee.jpg", size=(64, 64))
    lengths = np.random.default_rng(1).integers(7, 40, 12)
    frames = [pictures[n % 4] for n, length in enumerate(lengths) for _ in range(length)]
    path = str(write_film(tmp_path / "film.mp4", frames))
    (item,) = list_items([path])
    parts = divide_video(item, video_seconds(item), 3.0, every)
    assert len(parts) >= 6
    worker = Worker(Job(**{**vars(job), "options": {**job.options, "every": every}}))
    assert [worker.do([part]) for part in parts] == [[]] * len(parts)
    folder = Folder(job.out)
    said = [
        row
        for part in parts
        for row in json.loads(folder.read(f"_parts/{unit_key([part], 'tiny')}.json"))
    ]
    (whole,) = worker.do([item])
    assert join_parts(said) == whole
    assert len(whole["segments"]) >= 12


class Counting:
    """In the place of a captioner: says how often it was asked, and dies of some files."""

    def __init__(self, real, deadly=(), wrong=()):
        self.real, self.deadly, self.wrong, self.asked = real, deadly, wrong, []

    def describe(self, sources, **options):
        for index, source in enumerate(sources):
            self.asked.append(source.url)
            if source.url in self.deadly:
                raise SystemExit  # as if the process were gone: nothing catches it
            if source.url in self.wrong:
                raise ZeroDivisionError
            yield from self.real(source, index)


@pytest.fixture
def counted(job, fake_captioner, monkeypatch):
    def real(source, index):
        for result in fake_captioner().describe([str(source.item.file)]):
            yield type(result)(source, index, result.caption, result.last, result.frames)

    counting = Counting(real)
    monkeypatch.setattr(Worker, "_captioner", counting)
    return counting


def test_a_unit_that_is_written_is_not_described_again(job, counted):
    items = list(list_items(IMAGES))
    Folder(job.out).write("_plan/1.jsonl", encode_units([items[:2], items[2:]]))
    first = Worker(job)({"plan": ["_plan/1.jsonl"]})
    assert (first["rows"], first["errors"]) == ([3], [0])
    again = Worker(job)({"plan": ["_plan/1.jsonl"]})
    assert again["rows"] == [3]
    assert len(counted.asked) == 3
    assert len(Folder(job.out).names()) == 2


def test_a_file_that_kills_workers_gets_an_error_in_the_end(job, counted):
    counted.deadly = [IMAGES[1]]
    items = list(list_items(IMAGES))
    for _ in range(4):
        with pytest.raises(SystemExit):
            Worker(job).do(items)
    rows = {row["path"]: row for row in Worker(job).do(items)}
    assert "workers have died of it" in rows[IMAGES[1]]["error"]
    assert all(rows[path]["caption"] for path in (IMAGES[0], IMAGES[2]))
    assert list(Worker(job).do(items)) == list(rows.values())
    marks = Path(job.out, "_attempts")
    assert [path for path in marks.rglob("*") if path.is_file()] == []


def test_an_error_of_ours_is_a_row_too(job, counted):
    counted.wrong = [IMAGES[1]]
    rows = {row["path"]: row for row in Worker(job).do(list(list_items(IMAGES)))}
    assert "ZeroDivisionError" in rows[IMAGES[1]]["error"]
    assert all(rows[path]["caption"] for path in (IMAGES[0], IMAGES[2]))
