"""One image or video of a batch: where it lies, and how a worker gets it."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from captioner.cluster.object_store import is_url, open_store, patiently
from captioner.errors import unreadable
from captioner.fingerprint import take_fingerprint
from captioner.media.fetching import Remote, is_address


@dataclass(frozen=True)
class Item:
    """An image or video, by what fits on a line of a plan.

    Attributes:
        path: What rows call it.
        file: Absolute path or URL of the file that holds it.
        version: What tells, without reading it, that it has changed; empty where nothing does.
        kind: "file"; "tar" for a member of a tar file; "parquet" for a value of a Parquet file.
        place: Of a member its first byte and its size; of a value its row group and its row there.
        column: Of a value.
        steps: The part of a video, see `split_footage`, None standing for its end; None for all.

    Example:
        >>> item = Item("dog.jpg", "/photos/dog.jpg", "1-2")
        >>> Item.from_json(item.to_json()) == item
        True
    """

    path: str
    file: str
    version: str = ""
    kind: str = "file"
    place: tuple[int, int] = (0, 0)
    column: str = ""
    steps: tuple[int, int | None] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold of it; what is at its default is left out."""
        plain = Item("", "")
        return {k: v for k, v in asdict(self).items() if v != getattr(plain, k)}

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Item":
        """Return the item that `to_json` has written."""
        pairs: dict[str, Any] = {k: tuple(fields[k]) for k in ("place", "steps") if k in fields}
        given: dict[str, Any] = {"path": "", "file": "", **fields, **pairs}
        return cls(**given)


@dataclass(frozen=True)
class StoredFile(Remote):
    """The content of an item, for `Captioner.describe`; `url` is the item's path.

    Attributes:
        item: The item.
        content: Its bytes, where they are known already.
        found: Takes the SHA-256 of the content once it has been read, as its key.
    """

    item: Item = field(default_factory=lambda: Item("", ""))
    content: bytes | None = None
    found: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def fetched(self) -> Iterator[Path]:
        """Give the file while it is needed: itself where it is on a disk, or else a copy.

        Raises:
            CaptionerError: If it cannot be fetched.
        """
        item = self.item
        if item.kind == "file" and not is_url(item.file):
            self.found["key"] = key_of_path(item.file)
            yield Path(item.file)
            return
        with tempfile.TemporaryDirectory(prefix="captioner-") as folder:
            path = Path(folder) / f"file{Path(item.path).suffix}"
            try:
                self._fetch(path)
            except OSError as error:
                reason = " ".join(str(error).split()) or type(error).__name__
                raise unreadable(item.path, reason, "check the address and the store") from error
            self.found["key"] = key_of_path(str(path))
            yield path

    def _fetch(self, path: Path) -> None:
        item = self.item
        if self.content is not None:
            path.write_bytes(self.content)
        elif item.kind == "tar":
            system, place = open_store(item.file)
            first, size = item.place
            part = patiently(lambda: system.cat_file(place, start=first, end=first + size))
            path.write_bytes(part)
        elif is_address(item.file):
            from captioner.media.fetching import fetch_file

            fetch_file(item.file, path, self.allow_private, self.context)
        else:
            system, place = open_store(item.file)
            patiently(lambda: system.get_file(place, str(path)))


def key_of_path(path: str) -> str:
    """Return the SHA-256 of a file's content, or of all files of a folder of frames.

    Returns:
        In hexadecimal; empty for what is neither, or cannot be read.

    Example:
        >>> key_of_path("missing.jpg")
        ''
    """
    if os.path.isdir(path):  # noqa: PTH112
        digest = hashlib.sha256()
        for file in sorted(Path(path).iterdir()):
            digest.update(
                f"{file.name}\0{key_of_path(str(file))}\0".encode("utf-8", "surrogateescape")
            )
        return digest.hexdigest()
    known = take_fingerprint(path)
    return "" if known is None else known.sha256


def read_key(item: Item) -> str:
    """Read an item to the end and return the key of its content; empty if it cannot be read."""
    from captioner.cluster.shards import read_values
    from captioner.errors import CaptionerError

    content = next(iter(read_values([item])), None) if item.kind == "parquet" else None
    source = StoredFile(item.path, allow_private=True, item=item, content=content)
    try:
        with source.fetched():
            return source.found["key"]
    except CaptionerError:
        return ""
