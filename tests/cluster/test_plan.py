import os
from pathlib import Path

import pytest

from captioner.cluster.item import Item, read_key
from captioner.cluster.listing import list_items
from captioner.cluster.object_store import Folder
from captioner.cluster.partitions import Known, Partitions
from captioner.cluster.plan import Pending, decode_units, encode_units, make_units, unit_key

FILES = ("same.jpg", "touched.jpg", "changed.jpg", "failed.jpg", "new.jpg")


@pytest.fixture(params=["jsonl", "parquet"])
def partitions(request, tmp_path):
    return Partitions(Folder(str(tmp_path / "out")), request.param)


def make_row(item, **fields):
    return {"path": item.path, "key": read_key(item), "version": item.version, **fields}


def test_what_has_a_row_of_its_content_is_skipped(tmp_path, partitions):
    for name in FILES:
        (tmp_path / name).write_text(name)
    items = {name: next(list_items([str(tmp_path / name)])) for name in FILES}
    gone = make_row(Item("gone.jpg", "/gone.jpg", "1-1"), caption="it was there")
    partitions.write(partitions.name("1"), [gone])
    rows = [make_row(items[name], caption=f"a {name}") for name in FILES[:3]]
    rows.append(make_row(items["failed.jpg"], error="cannot read it"))
    partitions.write(partitions.name("2"), rows)
    os.utime(tmp_path / "touched.jpg", ns=(5, 5))
    (tmp_path / "changed.jpg").write_text("another picture")

    now = list(list_items([str(tmp_path / name) for name in FILES]))
    pending = Pending(partitions, Known(partitions))
    wanted = [Path(item.path).name for item in pending.of(now)]
    assert wanted == ["changed.jpg", "failed.jpg", "new.jpg"]
    assert (pending.skipped, pending.changed) == (2, 1)

    pending.drop_superseded()
    left = [row["path"] for name in partitions.names() for row in partitions.read(name)]
    assert sorted(left) == sorted(
        ["gone.jpg", str(tmp_path / "same.jpg"), str(tmp_path / "touched.jpg")]
    )


def test_a_partition_without_rows_is_deleted(partitions):
    partitions.write(partitions.name("1"), [{"path": "dog.jpg", "error": "no such file"}])
    partitions.drop(partitions.name("1"), {"dog.jpg"})
    assert partitions.names() == []


def test_many_known_rows_are_found(partitions):
    items = [Item(f"{n}.jpg", f"/{n}.jpg", f"{n}-0") for n in range(500)]
    for first in range(0, 500, 100):
        rows = [{"path": i.path, "version": i.version} for i in items[first : first + 100]]
        partitions.write(partitions.name(f"{first}"), rows)
    known = Known(partitions)
    assert len(known) == 500
    for number, item in enumerate(items):
        name = partitions.name(f"{number // 100 * 100}")
        assert known.find(item) == (name, True, False)
        assert known.find(Item(item.path, item.file, "other")) == (name, False, False)
    assert known.find(Item("500.jpg", "/500.jpg")) is None


def test_units_hold_every_item_once_and_in_order():
    images = [Item(f"{n}.jpg", f"/{n}.jpg") for n in range(70)]
    films = [Item(f"{n}.mp4", f"/{n}.mp4") for n in range(10)]
    values = [Item(f"t/{n}", "/t", kind="parquet", place=(n // 25, n)) for n in range(60)]
    everything = [*images, *films, *values]
    units = list(make_units(everything, 16))
    assert [item for unit in units for item in unit] == everything
    assert max(map(len, units)) == 16
    assert max(sum(item in films for item in unit) for unit in units) == 2
    for unit in units:
        kinds = {(item.kind, item.place[0]) for item in unit}
        assert len(kinds) == 1


def test_divided_items_are_units_of_their_own():
    items = [Item("a.jpg", ""), Item("long.mp4", ""), Item("b.jpg", "")]

    def divide(item):
        return (
            [Item(item.path, "", steps=(n, n + 1)) for n in range(3)] if "long" in item.path else []
        )

    units = list(make_units(items, 9, divide))
    assert sorted(len(unit) for unit in units) == [1, 1, 1, 2]
    assert sorted(u[0].steps for u in units if u[0].steps) == [(0, 1), (1, 2), (2, 3)]


def test_keys_of_units_tell_what_they_are_about():
    unit = [Item("a.jpg", "/a.jpg", "1-1"), Item("b.jpg", "/b.jpg", "1-1")]
    key = unit_key(unit, "model")
    assert key == unit_key(list(unit), "model")
    others = [
        unit_key(unit[:1], "model"),
        unit_key(unit[::-1], "model"),
        unit_key(unit, "another model"),
        unit_key([Item("a.jpg", "/a.jpg", "1-2"), unit[1]], "model"),
        unit_key([Item("a.jpg", "/a.jpg", "1-1", steps=(0, 8)), unit[1]], "model"),
    ]
    assert len({key, *others}) == 6


def test_plans_are_read_as_they_were_written():
    units = [
        [Item("a\udcff.jpg", "/a\udcff.jpg", "1-1"), Item("é", "/é", "", "tar", (512, 10))],
        [Item("long.mp4", "/long.mp4", steps=(2400, None))],
    ]
    assert decode_units(encode_units(units)) == units
