"""The feature store of clips: what the frozen part of the encoder saw, computed once."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from captioner.datasets.clip_dataset import ClipDataset
from captioner.datasets.recorded_files import RecordedFiles
from captioner.datasets.store_array import create_array, reopen_array
from captioner.errors import CaptionerError
from captioner.media.actions import read_action
from captioner.media.ahead import read_ahead
from captioner.replacing import replacing

_FORMAT = 1
# How many clips may be lost to a kill; flushing their features takes a few milliseconds.
_CLIPS_PER_CHECKPOINT = 8


class ClipFeatures:
    """Features of the frames of clips in one fp16 array on disk, with a JSON index.

    Args:
        folder: Where `prepare_clip_features` wrote `features.npy` and `index.json`.

    Attributes:
        features: float16 memory map (N, T, H, W, C); shorter clips have zeros at their end.

    Example:
        >>> store = ClipFeatures("data/features/clips")  # doctest: +SKIP
        >>> store["about12.mp4"].shape  # doctest: +SKIP
        (8, 5, 5, 512)
    """

    def __init__(self, folder: str | Path) -> None:
        index = json.loads((Path(folder) / "index.json").read_text(encoding="utf-8"))
        self.features = np.load(Path(folder) / "features.npy", mmap_mode="r")
        self._rows = {
            clip_id: row
            for row, clip_id in enumerate(index["clip_ids"])
            if clip_id not in index["unreadable"]
        }
        self._lengths = index["lengths"]

    def __contains__(self, clip_id: str) -> bool:
        return clip_id in self._rows

    def __getitem__(self, clip_id: str) -> np.ndarray:
        """The features of one clip, float16 (T, H, W, C), without padding."""
        row = self._rows[clip_id]
        return self.features[row, : self._lengths[row]]


def prepare_clip_features(
    dataset: ClipDataset, frozen: Any, folder: str | Path, *, frames: int, **reading: Any
) -> ClipFeatures:
    """Runs the frozen blocks once over all clips; goes on where a killed run stopped.

    Args:
        dataset: The clips; splits do not matter here.
        frozen: A `FrozenBlocks`.
        folder: Where the store is, or is to be.
        frames: Of each clip, at most.
        reading: Further options of `read_action`: crop, trim.

    Returns:
        The complete store. Unreadable clips are listed in its index with the reason, and are not
        in it.

    Raises:
        CaptionerError: If the folder holds a store of other clips, frames or weights.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    made_of = {
        "format": _FORMAT,
        "clips": dataset.fingerprint(),
        "encoder": frozen.fingerprint(),
        "reading": {"frames": frames, **reading},
    }
    index, features = _open_store(folder, made_of, dataset, (frames, *frozen.features_shape))
    start = written = len(index["lengths"])
    files = RecordedFiles(folder, start)
    files.resume()
    paths = [example.path for example in dataset.examples[start:]]
    read = partial(read_action, size=frozen.image_size, frames=frames, **reading)
    progress = tqdm(total=len(dataset.examples), initial=start, unit="clip", disable=None)
    with progress:
        for clip in _in_order(read, paths):
            row = len(index["lengths"])
            if isinstance(clip, CaptionerError):
                index["unreadable"][dataset.examples[row].clip_id] = str(clip)
                progress.write(f"left out: {clip}")
                index["lengths"].append(0)
            else:
                # All clips have one shape: one network is compiled.
                padded = np.zeros((1, frames, *clip.shape[1:]), clip.dtype)
                padded[0, : len(clip)] = clip
                features[row, : len(clip)] = np.asarray(frozen(padded))[0, : len(clip)]
                index["lengths"].append(len(clip))
            progress.update()
            if (row + 1) % _CLIPS_PER_CHECKPOINT == 0 or row + 1 == len(dataset.examples):
                # The features reach the file before the index says that they are there.
                features.flush()
                files.add(example.path for example in dataset.examples[written : row + 1])
                written = row + 1
                _write_index(folder, index)
    return ClipFeatures(folder)


def _in_order(
    read: Callable[[Any], Iterator[Any]], paths: list[str]
) -> Iterator[np.ndarray | CaptionerError]:
    for readings in read_ahead(read, paths, batch_size=1, workers=2):
        for reading in readings:
            clip = reading.clip
            yield clip if isinstance(clip, CaptionerError) else clip.frames


def _open_store(
    folder: Path, made_of: dict[str, Any], dataset: ClipDataset, shape: tuple[int, ...]
) -> tuple[dict[str, Any], Any]:
    try:
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        index = {
            **made_of,
            "clip_ids": [example.clip_id for example in dataset.examples],
            "lengths": [],
            "unreadable": {},
        }
        features = create_array(folder / "features.npy", (len(dataset.examples), *shape))
        _write_index(folder, index)
        return index, features
    except ValueError as error:
        raise CaptionerError(
            f"{folder / 'index.json'} is broken ({error}): delete the folder for a new store"
        ) from error
    for key, value in made_of.items():
        if index.get(key) != value:
            raise CaptionerError(
                f"{folder}: this feature store was made with another {key}; choose another folder, "
                "or delete this one for a new store"
            )
    RecordedFiles(folder, len(index["lengths"])).check(
        index["clip_ids"], [example.path for example in dataset.examples]
    )
    return index, reopen_array(folder / "features.npy")


def _write_index(folder: Path, index: dict[str, Any]) -> None:
    with replacing(folder / "index.json") as partial:
        partial.write_text(json.dumps(index), encoding="utf-8")
