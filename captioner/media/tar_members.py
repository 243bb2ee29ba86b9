"""Images within tar files, as WebDataset's shards have them, read by their place."""

import os
import tarfile
from functools import lru_cache

from captioner.errors import unreadable

_MARK = ".tar/"
_KEPT = 64  # tar files whose members are known; an epoch reads few of them at a time


def read_member(path: str) -> bytes | None:
    """Return the content of `shard.tar/dog.jpg`, a file within a plain tar file.

    Args:
        path: Path of the tar file, and the name of the member in it.

    Returns:
        None if there is no such tar file or member, or a folder has that name.

    Raises:
        CaptionerError: If the tar file is compressed or damaged.

    Example:
        >>> read_member("missing.tar/dog.jpg") is None
        True
    """
    before, mark, member = path.partition(_MARK)
    shard = f"{before}.tar"
    if not mark or not os.path.isfile(shard):  # noqa: PTH113
        return None
    status = os.stat(shard)  # noqa: PTH116
    place = _places(shard, status.st_mtime_ns, status.st_size).get(member)
    if place is None:
        return None
    with open(shard, "rb") as file:  # noqa: PTH123
        file.seek(place[0])
        return file.read(place[1])


def shard_of(path: str) -> str | None:
    """Return the tar file of a member's path; None for any other path.

    Example:
        >>> shard_of("data/train-000000.tar/12.jpg"), shard_of("data/12.jpg")
        ('data/train-000000.tar', None)
    """
    before, mark, _ = path.partition(_MARK)
    return f"{before}.tar" if mark else None


@lru_cache(_KEPT)
def _places(shard: str, changed: int, size: int) -> dict[str, tuple[int, int]]:
    """Return the first byte and the size of each member; `changed` and `size` are for the cache."""
    try:
        with tarfile.open(shard, "r:") as members:
            return {m.name: (m.offset_data, m.size) for m in members if m.isfile()}
    except (OSError, tarfile.TarError) as error:
        fix = "unpack it if it is compressed, or make it again"
        raise unreadable(shard, f"no plain tar file: {error}", fix) from error
