"""The feature store: outputs of the frozen encoder, computed once for a whole data set."""

import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from captioner.arrays import StoredFeatures
from captioner.datasets.augment import View
from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.feature_set import feature_set_of, load_features
from captioner.datasets.store_files import RecordedFiles, create_array, reopen_array
from captioner.errors import CaptionerError
from captioner.file_lock import hold_lock
from captioner.media.actions import read_action
from captioner.media.ahead import read_ahead
from captioner.media.clip import Clip
from captioner.media.sources import read_clips
from captioner.models.clip_features import encode_clips
from captioner.replacing import replacing

_FORMAT = 1
# Number of batches that a kill may lose; flushing the features of 32 images takes milliseconds.
_BATCHES_PER_CHECKPOINT = 4

FRAMES_OF_A_CLIP = 8  # the default


class FeatureStore:
    """Features of a data set in one float16 array on disk, with a JSON index.

    Args:
        folder: Folder with `features.npy` and `index.json` from `prepare_features`.

    Attributes:
        features: Memory map, float16 (N, T, P, C) from a whole VGG16 or (N, T, H, W, C) from its
            frozen blocks; T is 1 for images, and shorter clips are padded with zeros.
        index: Content of the index: ids, fingerprints, unreadable files, and the number of frames
            of clips that have fewer than T.

    Raises:
        CaptionerError: If the folder has no complete store.

    Example:
        >>> store = FeatureStore("data/features/flickr8k")  # doctest: +SKIP
        >>> store["1000268201_693b08cb0e.jpg"].shape  # doctest: +SKIP
        (1, 49, 512)
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.index = _read_index(self.folder)
        if self.index["completed"] != len(self.index["image_ids"]):
            raise CaptionerError(
                f"{self.folder}: the feature store is unfinished "
                f"({self.index['completed']} of {len(self.index['image_ids'])} images); "
                "run `captioner prepare` again to resume it"
            )
        self.features = np.load(self.folder / "features.npy", mmap_mode="r")
        self._rows = {
            id_: row
            for row, id_ in enumerate(self.index["image_ids"])
            if id_ not in self.index["unreadable"]
        }

    def __contains__(self, id_: str) -> bool:
        return id_ in self._rows

    def __getitem__(self, id_: str) -> StoredFeatures:
        """Return the features of one image or clip, float16 (T, ...), without padding frames."""
        length = self.index["shorter"].get(id_, self.frames)
        return self.features[self._rows[id_], :length]

    @property
    def frames(self) -> int:
        """Number of frames of a clip, at most; T."""
        return int(self.features.shape[1])

    def check(self, dataset: Dataset, encoder_fingerprint: str) -> None:
        """Raise CaptionerError unless the store has this data set's images from this encoder."""
        _check(self.index, self.folder, encoder=encoder_fingerprint)
        if missing := {example.id for example in dataset.examples} - set(self.index["image_ids"]):
            raise CaptionerError(
                f"{self.folder}: this feature store was made with another dataset, without "
                f"{min(missing)}; run `captioner prepare` again to add the missing images"
            )


def prepare_features(
    dataset: Dataset,
    encoder: Any,
    folder: str | Path,
    batch_size: int = 32,
    frames: int | None = None,
    view: View | None = None,
    reading: dict[str, Any] | None = None,
) -> FeatureStore:
    """Run the encoder once over a data set; resume a killed run.

    Features depend only on files and encoder; captions, labels and splits may change. If a store
    lacks images of the data set, they are added.

    Args:
        dataset: Images or clips.
        encoder: A `VGG16Encoder`, or `FrozenBlocks`.
        folder: Folder of an existing or a new store.
        batch_size: Number of frames in one pass of the network; an image is one frame.
        frames: Number of frames of each clip, evenly spaced over the whole clip; a shorter clip has
            fewer. None for the number in an existing store, or 8. Not used for images.
        view: View of the images to store instead of the whole images, for the train split only.
        reading: Options of `read_action`, which reads clips with labels; None for `read_clips`.

    Returns:
        The complete store. It has no features of unreadable images and clips; its index lists them
        with the reasons. Of a damaged clip, it has the frames before the damage.

    Raises:
        CaptionerError: If the folder has a store of another encoder, view, reading or number of
            frames, or of files that have changed since; if a view of clips is requested; or if
            there is no disk space for the store.
    """
    if view is not None and dataset.has_clips:
        raise CaptionerError(f"{dataset.name} has clips: only images can have views")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    # One worker of a training makes the store; the others wait, and find it.
    with hold_lock(folder / ".lock"):
        return _prepare(dataset, encoder, folder, batch_size, frames, view, reading)


def _prepare(
    dataset: Dataset,
    encoder: Any,
    folder: Path,
    batch_size: int,
    frames: int | None,
    view: View | None,
    reading: dict[str, Any] | None,
) -> FeatureStore:
    if (stored := feature_set_of(dataset)) is not None:
        _unpack(stored, dataset, encoder.fingerprint(), folder)
        return FeatureStore(folder)
    made_of: dict[str, Any] = {
        "encoder": encoder.fingerprint(),
        "view": None if view is None else view.as_dict(),
        "reading": reading,
    }
    examples = dataset.examples if view is None else dataset.split("train")
    if reading is not None:
        frames = int(reading["frames"])
    if (folder / "index.json").exists():
        index = _read_index(folder)
        _check(index, folder, **made_of)
        files = RecordedFiles(folder, index["completed"])
        own = {example.id: example for example in examples}
        done = index["image_ids"][: index["completed"]]
        files.check(done, [own[id_].path if id_ in own else "" for id_ in done])
        most = np.load(folder / "features.npy", mmap_mode="r").shape[1]
        if dataset.has_clips and frames not in (None, most):
            raise CaptionerError(
                f"{folder}: this feature store has {most} frames of each clip, not "
                f"{frames}; choose another folder, or delete this one"
            )
        known = set(done)
        fresh = [example for example in examples if example.id not in known]
        if not fresh and index["completed"] == len(index["image_ids"]):
            return FeatureStore(folder)
        # Finished rows keep their positions; the unfinished rows of a killed run are chosen again.
        index["image_ids"] = [*done, *(example.id for example in fresh)]
        examples = [*(own.get(id_) or Example(id_, "") for id_ in done), *fresh]
        features = reopen_array(folder / "features.npy", rows=len(examples))
        _write_index(folder, index)
        if not fresh:
            return FeatureStore(folder)
    else:
        most = (frames or FRAMES_OF_A_CLIP) if dataset.has_clips else 1
        shape = (len(examples), most, *encoder.features_shape)
        features = create_array(folder / "features.npy", shape)
        index = {
            "format": _FORMAT,
            **made_of,
            "image_ids": [example.id for example in examples],
            "completed": 0,
            "unreadable": {},
            "shorter": {},
        }
        _write_index(folder, index)

    def read(example: Example) -> Iterator[Clip]:
        size = encoder.image_size
        if view is not None:
            return view.read(example, size)
        if reading is not None:
            return read_action(example.path, size, **reading)
        return read_clips(example.path, size, every=math.inf, most=most)

    _fill(folder, index, features, examples, read, encoder, batch_size)
    return FeatureStore(folder)


def _unpack(path: Path, dataset: Dataset, encoder: str, folder: Path) -> None:
    """Make the store of a feature set."""
    loaded = load_features(path, encoder)  # (N, P, C)
    features = create_array(folder / "features.npy", (len(loaded), 1, *loaded.shape[1:]))
    features[:, 0] = loaded
    features.flush()
    ids = [example.id for example in dataset.examples]
    made_of = {"encoder": encoder, "view": None, "reading": None}
    whole = {"completed": len(ids), "unreadable": {}, "shorter": {}}
    _write_index(folder, {"format": _FORMAT, **made_of, "image_ids": ids, **whole})


def _fill(
    folder: Path,
    index: dict[str, Any],
    features: np.memmap,
    examples: Sequence[Example],
    read: Callable[[Example], Iterator[Clip]],
    encoder: Any,
    batch_size: int,
) -> None:
    """Encode the examples that the index does not list as completed."""
    from captioner.engines.keras import compiled  # reading a store needs no Keras

    encode = compiled(encoder)  # 2.5 times as fast as eagerly
    ids = index["image_ids"]
    start = written = index["completed"]
    files = RecordedFiles(folder, start)
    files.resume()
    seen: set[int] = set()  # rows with features; a damaged clip has an error after its features
    progress = tqdm(
        total=len(ids), initial=start, unit="image", desc="VGG16", disable=None, smoothing=0.05
    )
    with progress:
        for number, batch in enumerate(read_ahead(read, examples[start:], batch_size), start=1):
            clips = {start + r.index: r.clip for r in batch if isinstance(r.clip, Clip)}
            seen.update(clips)
            for row, encoded in encode_clips(encode, clips, batch_size):
                features[row, : len(encoded)] = encoded
                if len(encoded) < features.shape[1]:
                    index["shorter"][ids[row]] = len(encoded)
            for reading in batch:
                row = start + reading.index
                if isinstance(reading.clip, CaptionerError):
                    if row not in seen:
                        index["unreadable"][ids[row]] = str(reading.clip)
                    what = "in part" if row in seen else "left out"
                    progress.write(f"{what}: {reading.clip}", file=sys.stderr)
            done = sum(reading.last for reading in batch)
            index["completed"] += done
            progress.update(done)
            if number % _BATCHES_PER_CHECKPOINT == 0 or index["completed"] == len(ids):
                # Write the features to the file before the index counts them.
                features.flush()
                files.add(example.path for example in examples[written : index["completed"]])
                written = index["completed"]
                _write_index(folder, index)


def _read_index(folder: Path) -> dict[str, Any]:
    path = folder / "index.json"
    try:
        index: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
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
            f"{path}: this feature store has format {index.get('format')}, but this version reads "
            f"{_FORMAT}; delete the folder and run `captioner prepare` again"
        )
    if "clip_ids" in index:  # the format of stores of clips with labels before 0.1.0
        lengths = index.pop("lengths")
        ids, most = index.pop("clip_ids"), index["reading"]["frames"]
        index |= {
            "dataset": index.pop("clips"),
            "image_ids": ids,
            "completed": len(lengths),
            "shorter": {i: n for i, n in zip(ids, lengths, strict=False) if 0 < n < most},
        }
    index.setdefault("shorter", {})
    return index


def _write_index(folder: Path, index: dict[str, Any]) -> None:
    with replacing(folder / "index.json") as partial:
        partial.write_text(json.dumps(index), encoding="utf-8")


def _check(index: dict[str, Any], folder: Path, **made_of: Any) -> None:
    for key, value in {"view": None, "reading": None, **made_of}.items():
        if index.get(key) != value:  # old stores, from before views, lack the key
            raise CaptionerError(
                f"{folder}: this feature store was made with another {key}; choose another folder, "
                "or delete this one and run `captioner prepare` again"
            )
