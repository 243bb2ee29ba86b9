"""Many images in one file: tar shards, as WebDataset has them, and Parquet."""

import os
import tarfile
from collections.abc import Iterator, Sequence
from typing import Any

from captioner.cluster.item import Item
from captioner.cluster.object_store import is_url, open_store, patiently
from captioner.errors import unreadable
from captioner.media.files import is_media

_BUFFER = 2**22  # bytes
_VALUES = 16  # read of a Parquet file at once
SHARD_SUFFIXES = (".tar", ".parquet")
# Columns of images, in the order in which they are looked for.
_COLUMNS = ("image", "video", "bytes", "content", "jpg", "jpeg", "png", "webp", "mp4", "data")
_PATH_COLUMNS = ("path", "image", "video", "file", "file_name", "filename", "image_path", "url")


def list_tar(name: str, file: str, version: str) -> Iterator[Item]:
    """Yield the images and videos of a tar file; a worker reads each by its place.

    Of a tar file in an object store, all is read once for this.

    Args:
        name: What rows call the tar file; its members are called `name/member`.
        file: Its absolute path or URL.
        version: See `Item`.

    Raises:
        CaptionerError: It is compressed, damaged or missing.

    Source: https://github.com/webdataset/webdataset
    """
    try:
        with _open(file) as stream, tarfile.open(fileobj=stream, mode="r:") as shard:
            for member in shard:
                if member.isfile() and is_media(member.name):
                    place = (member.offset_data, member.size)
                    yield Item(f"{name}/{member.name}", file, version, "tar", place)
                shard.members.clear()  # type: ignore[attr-defined]  # they would all be kept
    except (OSError, tarfile.TarError) as error:
        fix = "unpack it if it is compressed, or make it again"
        raise unreadable(name, f"no plain tar file: {error}", fix) from error


def list_parquet(name: str, file: str, version: str, column: str | None) -> Iterator[Item]:
    """Yield the images and videos of a Parquet file that holds their bytes, or their paths.

    Args:
        name: What rows call the file; its rows are called `name/0`, `name/1` and so on.
        file: Its absolute path or URL; relative paths start from its folder.
        version: See `Item`.
        column: The column of bytes, of structs with `bytes` as Hugging Face's data sets have them,
            or of paths; None for the first one with a usual name.

    Yields:
        Items; those of paths have no version yet.

    Raises:
        CaptionerError: There is no such column, or the file is damaged or missing.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with _open(file) as stream:
            parquet = pq.ParquetFile(stream)
            schema = parquet.schema_arrow
            holder, has_bytes = _choose_column(name, schema, column)
            groups = parquet.metadata.num_row_groups
            if has_bytes:
                number = 0
                for group in range(groups):
                    for row in range(parquet.metadata.row_group(group).num_rows):
                        at = f"{name}/{number}"
                        yield Item(at, file, version, "parquet", (group, row), holder)
                        number += 1
                return
            base = file.rpartition("/")[0]
            for batch in parquet.iter_batches(columns=[holder]):
                for path in batch.column(0).to_pylist():
                    path = path or ""
                    whole = path if is_url(path) or path.startswith("/") else f"{base}/{path}"
                    yield Item(path, whole)
    except (OSError, pa.ArrowException) as error:
        reason = f"no Parquet file: {' '.join(str(error).split())}"
        raise unreadable(name, reason, "make it again") from error


def read_values(items: Sequence[Item]) -> Iterator[bytes]:
    """Yield the bytes of values of one row group, of which few are held at a time.

    Args:
        items: Of kind "parquet", of one file and row group, in the order of their rows.

    Raises:
        OSError: The file cannot be read.
    """
    import pyarrow.parquet as pq

    first, last = items[0], items[-1]
    group, begin = first.place
    wanted = {item.place[1] for item in items}
    with patiently(lambda: _open(first.file)) as stream:
        # In small parts: a row group, and a unit of its values, may be larger than memory.
        parquet = pq.ParquetFile(stream, buffer_size=_BUFFER)
        row = 0
        for batch in parquet.iter_batches(_VALUES, row_groups=[group], columns=[first.column]):
            if row + len(batch) > begin:
                for number, value in enumerate(batch.column(0), start=row):
                    if number in wanted:
                        yield _bytes_of(value.as_py())
            row += len(batch)
            if row > last.place[1]:
                return


def _bytes_of(value: Any) -> bytes:
    if isinstance(value, dict):
        value = value.get("bytes")
    return value or b""  # of which the reader of images says that it is empty


def _choose_column(name: str, schema: Any, column: str | None) -> tuple[str, bool]:
    """Return the column of images, and whether it has bytes; if not, it has paths."""
    import pyarrow as pa

    def has_bytes(kind: Any) -> bool:
        inner = kind.field("bytes").type if _is_struct_of_bytes(kind) else kind
        return bool(pa.types.is_binary(inner) or pa.types.is_large_binary(inner))

    kinds = {field.name: field.type for field in schema}
    wanted = (column,) if column else (*_COLUMNS, *kinds)
    for known in wanted:
        if known in kinds and has_bytes(kinds[known]):
            return known, True
    for known in (column,) if column else _PATH_COLUMNS:
        kind = kinds.get(known or "")
        if known and kind and (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            return known, False
    what = f"no column {column} of bytes or paths" if column else "no column of images"
    raise unreadable(name, f"{what} among {', '.join(kinds)}", "name one by --column")


def _is_struct_of_bytes(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_struct(kind)) and kind.get_field_index("bytes") >= 0


def _open(file: str) -> Any:
    system, place = open_store(file)
    if not is_url(file) and not os.path.isfile(place):  # noqa: PTH113
        raise FileNotFoundError("no such file")
    return system.open(place, "rb")
