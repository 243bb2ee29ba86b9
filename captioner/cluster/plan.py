"""What is still to be done, in units of work whose names tell what they are about."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from captioner.cluster.item import Item, read_key
from captioner.cluster.partitions import Known, Partitions, row_path
from captioner.media.files import VIDEO_SUFFIXES

_VIDEO = 8  # images that take about as long as a short video


@dataclass
class Pending:
    """Tells which items are to be described, by the rows of earlier runs.

    An item is skipped if it has a row without an error, and its version is the same, or, if not,
    its content. All other rows of items that come again are superseded.

    Args:
        partitions: Of the earlier runs.
        known: Their rows.

    Attributes:
        skipped: How many items have been skipped.
        changed: How many had another content than their row.
        superseded: Paths of rows to be dropped, by file.
    """

    partitions: Partitions
    known: Known
    skipped: int = 0
    changed: int = 0
    superseded: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def of(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield those of some items that are to be described."""
        for item in items:
            found = self.known.find(item)
            if found is None:
                yield item
                continue
            name, same, failed = found
            if not failed and (same or self._has_content(name, item)):
                self.skipped += 1
                continue
            self.changed += not failed
            self.superseded[name].add(row_path(item.path))
            yield item

    def drop_superseded(self) -> None:
        """Drop the rows of what is described anew, before it is: no path is there twice."""
        for name, paths in self.superseded.items():
            self.partitions.drop(name, paths)

    def _has_content(self, name: str, item: Item) -> bool:
        path = row_path(item.path)
        key = next((r.get("key") for r in self.partitions.read(name) if r["path"] == path), None)
        return bool(key) and key == read_key(item)


def make_units(
    items: Iterable[Item],
    size: int,
    divide: Callable[[Item], Sequence[Item]] = lambda item: (),
) -> Iterator[list[Item]]:
    """Yield items in units of work.

    Args:
        items: In their order.
        size: Images of a unit; a video counts for several, and values of a Parquet file stay with
            those of their row group.
        divide: Gives the parts of an item that is to be divided, or nothing.

    Yields:
        Units; each part of a divided item is one of its own.

    Example:
        >>> [len(unit) for unit in make_units([Item(f"{n}.jpg", "") for n in range(5)], 2)]
        [2, 2, 1]
    """
    unit: list[Item] = []
    weight = 0
    for item in items:
        if parts := divide(item):
            yield from ([part] for part in parts)
            continue
        if unit and (weight >= size or _group(item) != _group(unit[-1])):
            yield unit
            unit, weight = [], 0
        unit.append(item)
        weight += _VIDEO if item.path.lower().endswith(VIDEO_SUFFIXES) else 1
    if unit:
        yield unit


def unit_key(unit: Sequence[Item], settings: str) -> str:
    """Return the name of a unit: the same items and settings have the same one.

    Args:
        unit: The items.
        settings: What decides their captions.

    Example:
        >>> len(unit_key([Item("dog.jpg", "/photos/dog.jpg")], "tiny"))
        32
    """
    text = json.dumps([settings, [(i.path, i.version, i.place, i.steps) for i in unit]])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def encode_units(units: Iterable[Sequence[Item]]) -> bytes:
    """Write units as JSON Lines; `decode_units` reads them."""
    lines = (json.dumps([item.to_json() for item in unit]) for unit in units)
    return "".join(f"{line}\n" for line in lines).encode()


def decode_units(content: bytes) -> list[list[Item]]:
    """Read what `encode_units` has written.

    Example:
        >>> decode_units(encode_units([[Item("dog.jpg", "/dog.jpg")]]))[0][0].file
        '/dog.jpg'
    """
    return [[Item.from_json(each) for each in json.loads(line)] for line in content.splitlines()]


def _group(item: Item) -> tuple[str, int] | None:
    return (item.file, item.place[0]) if item.kind == "parquet" else None
