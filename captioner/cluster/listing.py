"""From what a user names to the items of a batch."""

import os
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from captioner.cluster.item import Item
from captioner.cluster.object_store import is_url, open_store, patiently
from captioner.cluster.shards import SHARD_SUFFIXES, list_parquet, list_tar
from captioner.errors import CaptionerError, unreadable
from captioner.media.fetching import is_address
from captioner.media.files import find_clips, find_media, is_media

_LIST_SUFFIXES = (".txt", ".lst", ".list")


def list_items(
    sources: Iterable[str],
    *,
    recursive: bool = False,
    column: str | None = None,
    clips: bool = False,
) -> Iterator[Item]:
    """Yield the images and videos that some sources name, each path once.

    A source is a file, folder or pattern of a disk, as `find_media` takes it; a file, folder or
    pattern of an object store, by its URL; a tar or Parquet file, also within a folder; a text file
    with one path or URL a line; or an http or https address of a file.

    Args:
        sources: Paths and URLs.
        recursive: Whether the subfolders of folders are searched.
        column: Of Parquet files, see `list_parquet`.
        clips: Whether a folder of numbered frames is a clip, as models of activities take it.

    Raises:
        CaptionerError: A source in a store does not exist, or a shard cannot be read.

    Example:
        >>> [item.path for item in list_items(["data/samples/dog.jpg", "missing.jpg"])]
        ['data/samples/dog.jpg', 'missing.jpg']
    """
    seen: set[int] = set()
    for source in sources:
        for item in _expand(source, recursive, column, clips):
            # Python's hash of 64 bits: of a million paths, two have the same in one of 30 million
            # cases.
            known = hash((item.path, item.place))
            if known not in seen:
                seen.add(known)
                yield item


def _expand(source: str, recursive: bool, column: str | None, clips: bool) -> Iterator[Item]:
    suffix = os.path.splitext(source)[1].lower()  # noqa: PTH122
    if suffix in _LIST_SUFFIXES:
        yield from _list_of_paths(source)
    elif suffix in SHARD_SUFFIXES and "*" not in source:
        yield from _shard(source, _absolute(source), version_of(source), column)
    elif is_address(source):
        yield Item(source, source)
    elif is_url(source):
        yield from _stored(source, recursive, column)
    else:
        yield from _local(source, recursive, column, clips)


def _shard(name: str, file: str, version: str, column: str | None) -> Iterator[Item]:
    if name.lower().endswith(".tar"):
        yield from list_tar(name, file, version)
        return
    for item in list_parquet(name, file, version, column):
        yield item if item.kind == "parquet" else _with_version(item)


def _local(source: str, recursive: bool, column: str | None, clips: bool) -> Iterator[Item]:
    shards: list[str] = []

    def leave_out(path: str, kind: str) -> None:
        if kind in SHARD_SUFFIXES:
            shards.append(path)

    found = (
        find_clips([source], recursive=recursive)
        if clips
        else find_media([source], recursive=recursive, leave_out=leave_out)
    )
    for path in found:
        # A folder of shards alone is yielded as itself, to be told of.
        if not (shards and path == source and Path(path).is_dir()):
            yield Item(path, _absolute(path), version_of(path))
    for shard in sorted(shards):
        yield from _shard(shard, _absolute(shard), version_of(shard), column)


def _stored(source: str, recursive: bool, column: str | None) -> Iterator[Item]:
    system, place = open_store(source)
    protocol = source.partition("://")[0]
    try:
        if any(sign in source for sign in "*?["):
            found = patiently(lambda: system.glob(place, detail=True)).values()
        else:
            known = patiently(lambda: system.info(place))
            if known["type"] != "directory":
                yield Item(source, source, _version(known))
                return
            listing = partial(system.find, place, maxdepth=None if recursive else 1, detail=True)
            found = patiently(listing).values()
    except OSError as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise unreadable(source, reason, "check the address and your credentials") from error
    for known in sorted(found, key=lambda entry: str(entry["name"])):
        url = f"{protocol}://{known['name'].lstrip('/') if protocol != 'file' else known['name']}"
        if known["type"] == "file" and url.lower().endswith(SHARD_SUFFIXES):
            yield from _shard(url, url, _version(known), column)
        elif known["type"] == "file" and is_media(url):
            yield Item(url, url, _version(known))


def _list_of_paths(source: str) -> Iterator[Item]:
    system, place = open_store(source)
    try:
        with system.open(place, "r", encoding="utf-8", errors="surrogateescape") as stream:
            for line in stream:
                if path := line.rstrip("\r\n"):
                    yield _with_version(Item(path, _absolute(path)))
    except OSError as error:
        raise unreadable(source, str(error), "name a text file of paths, one a line") from error


def _with_version(item: Item) -> Item:
    """Return an item with the version of its file, where a look at a disk is enough for it."""
    if is_url(item.file):
        return item
    return Item(item.path, item.file, version_of(item.file))


def version_of(path: str) -> str:
    """Return what tells that a file has changed: its size and time, or what its store says.

    Returns:
        Empty where nothing is known without reading it.

    Example:
        >>> version_of("missing.jpg")
        ''
    """
    try:
        if is_address(path):
            return ""
        if is_url(path):
            system, place = open_store(path)
            return _version(patiently(lambda: system.info(place)))
        known = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError, CaptionerError):
        return ""
    return f"{known.st_size}-{known.st_mtime_ns}"


def _version(known: dict[str, Any]) -> str:
    etag = known.get("ETag") or known.get("etag")
    if etag:
        return str(etag).strip('"')
    time = known.get("mtime") or known.get("last_modified") or known.get("created") or ""
    return f"{known.get('size', '')}-{time}"


def _absolute(path: str) -> str:
    """Return the path as a worker, whose current folder is another one, can use it."""
    return path if is_url(path) else os.path.abspath(path)  # noqa: PTH100
