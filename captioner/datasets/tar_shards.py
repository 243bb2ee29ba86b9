"""Data sets in tar shards, as WebDataset and img2dataset write them; images stay in the shards."""

import json
import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.table import split_images
from captioner.errors import CaptionerError, unreadable
from captioner.media.files import is_media
from captioner.text.tokenizer import tokenize

SHARDS = "*.tar"
_SPLITS = ("train", "val", "test")


def read_tar_shards(path: str | Path) -> Dataset:
    """Read the captions of tar shards; the images are read from them when they are needed.

    Files with the same name up to the first dot of its last part belong together: an image, and
    JSON with `captions` (a list) or `caption`, and possibly `id` and `split`, or text with a
    caption a line. Without a `split`, the name of the shard tells it (`val-000012.tar`,
    `cc3m-validation-0001.tar`), or else `split_images` does.

    Args:
        path: A tar file, or a folder of tar files.

    Returns:
        The data set, in the order of the shards. The path of an example is that of its shard and
        its name in it. Images without a caption are left out.

    Raises:
        CaptionerError: If a tar file is compressed or damaged, or there are no captions.

    Source: https://github.com/webdataset/webdataset
    """
    path = Path(path)
    shards = [path] if path.is_file() else sorted(path.glob(SHARDS))
    found, unsplit, faults = [], [], []
    for shard in shards:
        of_name = re.search(rf"(?:^|[-_])({'|'.join(_SPLITS)})", shard.name)
        for key, image, said in _samples(shard):
            place = f"{shard}/{image or key}"
            captions = _captions(said)
            if not image or not captions:
                faults.append(f"{place} has no {'caption' if image else 'image'}")
                continue
            id_ = str(said.get("id") or f"{shard.stem}/{key}")
            split = str(said.get("split") or (of_name[1] if of_name else ""))
            if split not in _SPLITS:
                unsplit.append(id_)
            # Millions of captions repeat few words: each is kept once.
            tokens = tuple(tuple(map(sys.intern, tokenize(caption))) for caption in captions)
            found.append(Example(id_, place, captions, tokens, split))
    if not found:
        raise CaptionerError(
            f"{path} has no images with captions: each needs a .json or .txt file of the same name "
            "in its tar file"
        )
    splits = split_images(unsplit)
    examples = [
        Example(e.id, e.path, e.captions, e.tokens, splits[e.id]) if e.id in splits else e
        for e in found
    ]
    return Dataset(path.stem, tuple(examples), tuple(faults))


def _samples(shard: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the key of each sample, the name of its image or "", and what is said of it."""
    key, image, said = "", "", dict[str, Any]()
    try:
        with tarfile.open(shard, "r:") as members:
            for member in members:
                if not member.isfile():
                    continue
                folder, _, name = member.name.rpartition("/")
                stem, _, kind = name.partition(".")
                own = f"{folder}/{stem}" if folder else stem
                if own != key:
                    if key:
                        yield key, image, said
                    key, image, said = own, "", {}
                if kind.lower() in ("json", "txt"):
                    stream = members.extractfile(member)
                    content = b"" if stream is None else stream.read()
                    said = {**_read(content, kind.lower(), member.name), **said}
                elif is_media(member.name):
                    image = member.name
                members.members.clear()  # type: ignore[attr-defined]  # they would all be kept
    except (OSError, tarfile.TarError) as error:
        fix = "unpack it if it is compressed, or make it again"
        raise unreadable(str(shard), f"no plain tar file: {error}", fix) from error
    if key:
        yield key, image, said


def _read(content: bytes, kind: str, name: str) -> dict[str, Any]:
    text = content.decode("utf-8", "replace")
    if kind == "txt":
        return {"lines": text.splitlines()}
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise unreadable(name, f"no JSON: {error}", "make its tar file again") from error
    return fields if isinstance(fields, dict) else {}


def _captions(said: dict[str, Any]) -> tuple[str, ...]:
    given = said.get("captions") or said.get("caption") or said.get("lines") or ()
    several = [given] if isinstance(given, str) else given
    return tuple(text for text in several if isinstance(text, str) and tokenize(text))
