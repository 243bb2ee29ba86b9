"""Writes a data set into tar shards, which hold its images and captions."""

import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from captioner.datasets.dataset import Dataset, Example
from captioner.errors import CaptionerError
from captioner.media.image import load_image
from captioner.replacing import replacing

_RECORD = "shards.json"
_QUALITY = 90  # of JPEG


@dataclass
class Written:
    """What is in the shards.

    Attributes:
        shards: Number of tar files, those of an earlier run included.
        images: Number of images written by this run.
        bytes: Size of all tar files.
        faults: Images that could not be read, one sentence each.
    """

    shards: int = 0
    images: int = 0
    bytes: int = 0
    faults: tuple[str, ...] = ()


def write_shards(
    dataset: Dataset,
    folder: str | Path,
    per_shard: int = 1000,
    side: int | None = None,
    seed: int = 1,
) -> Written:
    """Write images and captions as `train-000000.tar` and so on; resume a killed run.

    Each split is put into a random order once, so that each shard is a random sample of it.

    Args:
        dataset: Images with captions.
        folder: Folder of the shards; made if missing. Shards that it has already are kept.
        per_shard: Number of images in a shard.
        side: Pixels of the shorter side to which larger images are shrunk, as JPEG; None copies the
            files.
        seed: Seed of the order.

    Raises:
        CaptionerError: If the folder has shards of other data or options, or there are clips.
    """
    if dataset.has_clips or not dataset.has_images:
        raise CaptionerError(f"{dataset.name}: only images with captions can be put into shards")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    made_of = {"data": dataset.fingerprint(), "per_shard": per_shard, "side": side, "seed": seed}
    _hold(folder / _RECORD, made_of)
    written = Written()
    total = len(dataset.examples)
    with tqdm(total=total, unit="image", desc="shards", disable=None) as progress:
        for split in dict.fromkeys(example.split for example in dataset.examples):
            examples = dataset.split(split)
            order = np.random.default_rng(seed).permutation(len(examples))
            for number, first in enumerate(range(0, len(order), per_shard)):
                path = folder / f"{split}-{number:06}.tar"
                chosen = [examples[row] for row in order[first : first + per_shard]]
                if not path.exists():
                    _write_shard(path, chosen, side, written)
                written.shards += 1
                written.bytes += path.stat().st_size
                progress.update(len(chosen))
    return written


def _hold(record: Path, made_of: dict[str, Any]) -> None:
    """Note what the shards are made of, or compare it with what is noted."""
    if record.exists():
        before = json.loads(record.read_text(encoding="utf-8"))
        if different := [name for name, value in made_of.items() if before.get(name) != value]:
            raise CaptionerError(
                f"{record.parent} has shards of other {' and '.join(different)}: name another "
                "folder, or delete it"
            )
        return
    if any(record.parent.glob("*.tar")):
        raise CaptionerError(f"{record.parent} has tar files of other origin: name another folder")
    with replacing(record) as partial:
        partial.write_text(json.dumps(made_of), encoding="utf-8")


def _write_shard(
    path: Path, examples: Sequence[Example], side: int | None, written: Written
) -> None:
    with replacing(path) as partial, tarfile.open(partial, "w") as shard:
        for number, example in enumerate(examples):
            try:
                suffix, content = _image(example.path, side)
            except CaptionerError as error:
                written.faults += (str(error),)
                continue
            said = {"id": example.id, "captions": example.captions, "split": example.split}
            _add(shard, f"{number:06}{suffix}", content)
            _add(shard, f"{number:06}.json", json.dumps(said).encode())
            written.images += 1


def _add(shard: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)  # without times and owners: the same input gives the same bytes
    member.size = len(content)
    shard.addfile(member, io.BytesIO(content))


def _image(path: str, side: int | None) -> tuple[str, bytes]:
    image = load_image(path, size=side)  # also tells whether it can be read
    if side is None:
        return Path(path).suffix.lower(), Path(path).read_bytes()
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=_QUALITY)
    return ".jpg", stream.getvalue()
