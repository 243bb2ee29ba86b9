"""The feature store: what the frozen encoder saw, computed once for a whole data set."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from captioner.datasets.caption_dataset import CaptionDataset
from captioner.engines.keras import compiled
from captioner.errors import CaptionerError
from captioner.media.batches import load_batches

_FORMAT = 1
# How many batches may be lost to a kill; flushing 32 pictures' features takes a few milliseconds.
_BATCHES_PER_CHECKPOINT = 4


class FeatureStore:
    """Features of a data set in one fp16 array on disk, with a JSON index.

    Args:
        folder: Where `prepare_features` wrote `features.npy` and `index.json`.

    Attributes:
        features: float16 memory map (N, T, P, C).
        index: The index as read: image ids, fingerprints, unreadable pictures.

    Raises:
        CaptionerError: If the folder holds no complete store.

    Example:
        >>> store = FeatureStore("data/features/flickr8k")  # doctest: +SKIP
        >>> store["1000268201_693b08cb0e.jpg"].shape  # doctest: +SKIP
        (1, 49, 512)
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.index = _read_index(self.folder / "index.json")
        if self.index["completed"] != len(self.index["image_ids"]):
            raise CaptionerError(
                f"{self.folder}: the feature store is unfinished "
                f"({self.index['completed']} of {len(self.index['image_ids'])} pictures); "
                "run `captioner prepare` again, it goes on where it stopped"
            )
        self.features = np.load(self.folder / "features.npy", mmap_mode="r")
        self._rows = {
            image_id: row
            for row, image_id in enumerate(self.index["image_ids"])
            if image_id not in self.index["unreadable"]
        }

    def __contains__(self, image_id: str) -> bool:
        return image_id in self._rows

    def __getitem__(self, image_id: str) -> np.ndarray:
        """The features of one picture, float16 (T, P, C)."""
        return self.features[self._rows[image_id]]

    def check(self, dataset: CaptionDataset, encoder_fingerprint: str) -> None:
        """Raises CaptionerError unless the store was made of this data set by this encoder."""
        _check_index(self.index, dataset, encoder_fingerprint, self.folder)


def prepare_features(
    dataset: CaptionDataset, encoder: Any, folder: str | Path, batch_size: int = 32
) -> FeatureStore:
    """Runs the encoder once over a data set; goes on where a killed run stopped.

    Args:
        dataset: The pictures; splits do not matter here.
        encoder: A `VGG16Encoder`.
        folder: Where the store is, or is to be.
        batch_size: Pictures in one pass of the network.

    Returns:
        The complete store. Unreadable pictures are listed in its index with the reason, and are
        not in it.

    Raises:
        CaptionerError: If the folder holds a store of another data set or encoder.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    index_path = folder / "index.json"
    fingerprint = encoder.fingerprint()
    shape = (len(dataset.examples), 1, encoder.places, encoder.channels)
    if index_path.exists():
        index = _read_index(index_path)
        _check_index(index, dataset, fingerprint, folder)
        features = np.load(folder / "features.npy", mmap_mode="r+")
    else:
        features = np.lib.format.open_memmap(
            folder / "features.npy", mode="w+", dtype=np.float16, shape=shape
        )
        index = {
            "format": _FORMAT,
            "dataset": dataset.fingerprint(),
            "encoder": fingerprint,
            "image_ids": [example.image_id for example in dataset.examples],
            "completed": 0,
            "unreadable": {},
        }
        _write_index(index_path, index)

    start = index["completed"]
    paths = [example.path for example in dataset.examples[start:]]
    encode = compiled(encoder)
    batches = load_batches(paths, encoder.image_size, batch_size)
    progress = tqdm(
        total=shape[0], initial=start, unit="image", desc="VGG16", disable=None, smoothing=0.05
    )
    with progress:
        for number, batch in enumerate(batches, start=1):
            rows = [start + position for position in batch.indices]
            if rows:
                encoded = encode(_padded(batch.images, batch_size)[:, np.newaxis])
                features[rows] = np.asarray(encoded)[: len(rows)]
            for position, reason in batch.errors.items():
                example = dataset.examples[start + position]
                index["unreadable"][example.image_id] = reason
                progress.write(f"left out: {reason}")
            done = len(batch.indices) + len(batch.errors)
            index["completed"] += done
            progress.update(done)
            if number % _BATCHES_PER_CHECKPOINT == 0 or index["completed"] == shape[0]:
                # The features reach the file before the index says that they are there.
                features.flush()
                _write_index(index_path, index)
    return FeatureStore(folder)


def _padded(images: np.ndarray, batch_size: int) -> np.ndarray:
    """Fills the last batch up: one shape is compiled, and a picture's bits do not depend on it."""
    missing = batch_size - len(images)
    return np.concatenate([images, np.zeros((missing, *images.shape[1:]), images.dtype)])


def _read_index(path: Path) -> dict[str, Any]:
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CaptionerError(
            f"{path}: there is no feature store here; make it with `captioner prepare`"
        ) from None
    except ValueError as error:
        raise CaptionerError(
            f"{path}: this index is broken ({error}); delete the folder and run "
            "`captioner prepare` again"
        ) from error
    if index.get("format") != _FORMAT:
        raise CaptionerError(
            f"{path}: this feature store has format {index.get('format')}, this version reads "
            f"{_FORMAT}; delete the folder and run `captioner prepare` again"
        )
    return index


def _write_index(path: Path, index: dict[str, Any]) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(index), encoding="utf-8")
    temporary.replace(path)


def _check_index(
    index: dict[str, Any], dataset: CaptionDataset, encoder_fingerprint: str, folder: Path
) -> None:
    expected = {"dataset": dataset.fingerprint(), "encoder": encoder_fingerprint}
    for key, value in expected.items():
        if index[key] != value:
            raise CaptionerError(
                f"{folder}: this feature store was made with another {key}; choose another folder, "
                "or delete this one and run `captioner prepare` again"
            )
