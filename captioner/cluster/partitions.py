"""The rows of a batch in files of some tens of rows, each written as a whole or not at all."""

import hashlib
import io
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from captioner.cluster.item import Item
from captioner.cluster.object_store import Folder
from captioner.errors import CaptionerError

FORMATS = ("parquet", "jsonl")
_PREFIX = "part-"

Row = dict[str, Any]


class Partitions:
    """Files of rows in a folder; the name of each tells what it is about.

    A row is what `caption --jsonl` writes, with `key`, the SHA-256 of the image's content, and
    `version`, see `Item`.

    Args:
        folder: Of the batch.
        format_name: "parquet" or "jsonl".

    Example:
        >>> import tempfile
        >>> partitions = Partitions(Folder(tempfile.mkdtemp()), "parquet")
        >>> name = partitions.name("12ab")
        >>> partitions.write(name, [{"path": "dog.jpg", "caption": "a dog", "key": "34cd"}])
        >>> list(partitions.read(name))
        [{'path': 'dog.jpg', 'caption': 'a dog', 'key': '34cd'}]
    """

    def __init__(self, folder: Folder, format_name: str) -> None:
        self.folder = folder
        self._format = format_name

    def name(self, key: str) -> str:
        """Return the name of the file with the rows of a unit of work."""
        return f"{_PREFIX}{key}.{self._format}"

    def names(self) -> list[str]:
        """List the files that are there, in order."""
        return [
            n for n in self.folder.names() if n.startswith(_PREFIX) and n.endswith(self._format)
        ]

    def write(self, name: str, rows: Sequence[Row]) -> None:
        """Write a file; see `Folder.write`."""
        content = _to_parquet(rows) if self._format == "parquet" else _to_lines(rows)
        self.folder.write(name, content)

    def read(self, name: str) -> Iterator[Row]:
        """Yield the rows of a file.

        Raises:
            CaptionerError: It is damaged.
        """
        content = self.folder.read(name)
        try:
            if self._format == "jsonl":
                yield from map(json.loads, content.splitlines())
                return
            import pyarrow.parquet as pq

            table = pq.read_table(io.BytesIO(content))
            yield from (_without_nothing(row) for row in table.to_pylist())
        except (ValueError, OSError) as error:
            raise CaptionerError(
                f"cannot read {name} in {self.folder.url} ({error}): delete it, and what it was "
                "about is described again"
            ) from error

    def drop(self, name: str, paths: Collection[str]) -> None:
        """Write a file anew without the rows of some paths."""
        kept = [row for row in self.read(name) if row["path"] not in paths]
        if kept:
            self.write(name, kept)
        else:
            self.folder.delete(name)


class Known:
    """What the rows of earlier runs are about: 21 bytes for each.

    Args:
        partitions: Of these runs.

    Attributes:
        names: Their files.
    """

    def __init__(self, partitions: Partitions) -> None:
        self.names = partitions.names()
        paths, versions, files, failed = [], [], [], []
        for number, name in enumerate(self.names):
            for row in partitions.read(name):
                paths.append(_digest(row["path"]))
                versions.append(_digest(row.get("version", "")))
                files.append(number)
                failed.append("error" in row)
        order = np.argsort(np.array(paths, np.uint64), kind="stable")
        self._paths = np.array(paths, np.uint64)[order]  # (N,)
        self._versions = np.array(versions, np.uint64)[order]
        self._files = np.array(files, np.int32)[order]
        self._failed = np.array(failed, bool)[order]

    def __len__(self) -> int:
        return len(self._paths)

    def find(self, item: Item) -> tuple[str, bool, bool] | None:
        """Look for the row of an item.

        Returns:
            Its file, whether it is of the item's present version, and whether it is an error; None
            if there is none.
        """
        wanted = np.uint64(_digest(row_path(item.path)))
        at = int(np.searchsorted(self._paths, wanted))
        if at == len(self._paths) or self._paths[at] != wanted:
            return None
        same = bool(self._versions[at] == np.uint64(_digest(item.version)))
        return self.names[self._files[at]], same, bool(self._failed[at])


def row_path(path: str) -> str:
    """Return how a row spells a path: bytes that are no UTF-8 are escaped.

    Example:
        >>> row_path("dog.jpg"), len(row_path(chr(0xDCFF)))
        ('dog.jpg', 6)
    """
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest())


def _to_lines(rows: Iterable[Row]) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def _to_parquet(rows: Sequence[Row]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=_schema()), buffer, compression="zstd")
    return buffer.getvalue()


def _schema() -> Any:
    """Return one schema for all files, whatever their rows have, so that they are one table."""
    import pyarrow as pa

    said = [
        ("caption", pa.string()),
        ("log_prob", pa.float64()),
        ("confidence", pa.float64()),
        ("uncertain", pa.bool_()),
        ("partial", pa.bool_()),
        ("label", pa.string()),
        ("probability", pa.float64()),
    ]
    others = [(name, pa.list_(pa.struct(said))) for name in ("captions", "labels")]
    segment = pa.struct([("start", pa.float64()), ("end", pa.float64()), *said, *others])
    return pa.schema(
        [
            ("path", pa.string()),
            *said,
            *others,
            ("segments", pa.list_(segment)),
            ("error", pa.string()),
            ("key", pa.string()),
            ("version", pa.string()),
        ]
    )


def _without_nothing(value: Any) -> Any:
    """Leave out what is null, as in JSON."""
    if isinstance(value, dict):
        return {k: _without_nothing(v) for k, v in value.items() if v is not None}
    return [_without_nothing(each) for each in value] if isinstance(value, list) else value
