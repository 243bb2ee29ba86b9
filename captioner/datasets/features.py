"""The feature store: what the frozen encoder saw, computed once for a whole data set."""

import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from captioner.datasets.caption_dataset import CaptionDataset, CaptionExample
from captioner.datasets.feature_index import FORMAT, check_index, read_index, write_index
from captioner.datasets.recorded_files import RecordedFiles
from captioner.datasets.store_array import create_array, reopen_array
from captioner.datasets.view import View
from captioner.errors import CaptionerError
from captioner.media.ahead import read_ahead
from captioner.media.clip import Clip
from captioner.media.sources import read_clips
from captioner.vision.clips import encode_clips

# How many batches may be lost to a kill; flushing 32 pictures' features takes a few milliseconds.
_BATCHES_PER_CHECKPOINT = 4

FRAMES_OF_A_CLIP = 8  # unless another number is asked for


class FeatureStore:
    """Features of a data set in one fp16 array on disk, with a JSON index.

    Args:
        folder: Where `prepare_features` wrote `features.npy` and `index.json`.

    Attributes:
        features: float16 memory map (N, T, P, C); T is 1 for pictures.
        index: The index as read: image ids, fingerprints, unreadable pictures, and the frames of
            clips that have fewer than T.

    Raises:
        CaptionerError: If the folder holds no complete store.

    Example:
        >>> store = FeatureStore("data/features/flickr8k")  # doctest: +SKIP
        >>> store["1000268201_693b08cb0e.jpg"].shape  # doctest: +SKIP
        (1, 49, 512)
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.index = read_index(self.folder / "index.json")
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
        """The features of one picture or clip, float16 (T, P, C); zeros in padding frames."""
        return self.features[self._rows[image_id]]

    def frames_of(self, image_id: str) -> np.ndarray:
        """The features of one image or clip without padding, float16 (T, P, C)."""
        length = self.index.get("shorter", {}).get(image_id, self.frames)
        return self[image_id][:length]

    @property
    def frames(self) -> int:
        """Frames of a clip at most, T."""
        return int(self.features.shape[1])

    def inputs(self, image_ids: Sequence[str]) -> dict[str, np.ndarray]:
        """What decoders ask about some pictures or clips.

        Args:
            image_ids: B of them, all in the store.

        Returns:
            `features` float16 (B, T, P, C), and for clips `frame_mask` bool (B, T), False for
            padding frames.
        """
        features = np.stack([self[image_id] for image_id in image_ids])
        if self.frames == 1:
            return {"features": features}
        shorter = self.index.get("shorter", {})
        lengths = np.array([shorter.get(image_id, self.frames) for image_id in image_ids])
        return {"features": features, "frame_mask": np.arange(self.frames) < lengths[:, np.newaxis]}

    def check(self, dataset: CaptionDataset, encoder_fingerprint: str) -> None:
        """Raises CaptionerError unless the store was made of this data set by this encoder."""
        check_index(self.index, dataset, encoder_fingerprint, self.folder)


def prepare_features(
    dataset: CaptionDataset,
    encoder: Any,
    folder: str | Path,
    batch_size: int = 32,
    frames: int | None = None,
    view: View | None = None,
) -> FeatureStore:
    """Runs the encoder once over a data set; goes on where a killed run stopped.

    Args:
        dataset: The pictures or clips; splits do not matter here.
        encoder: A `VGG16Encoder`.
        folder: Where the store is, or is to be.
        batch_size: Frames in one pass of the network; a picture is one.
        frames: Frames of each clip, at even distances over the whole of it; a shorter one has
            fewer. None for those of a store that was begun, or 8. Without meaning for pictures.
        view: Makes a store of another look at the pictures, those of the train split alone.

    Returns:
        The complete store. Unreadable pictures and clips are listed in its index with the reason,
        and are not in it; of a clip that breaks off there is what comes before.

    Raises:
        CaptionerError: If the folder holds a store of another data set, encoder, view or number of
            frames, or of files that have changed since; if a view of clips is asked for; or if
            there is no room for the store.
    """
    if view is not None and dataset.has_clips:
        raise CaptionerError(f"{dataset.name} has clips: views can be made of pictures alone")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    index_path = folder / "index.json"
    fingerprint = encoder.fingerprint()
    examples = dataset.examples if view is None else dataset.split("train")
    described_view = None if view is None else view.as_dict()
    if index_path.exists():
        index = read_index(index_path)
        check_index(index, dataset, fingerprint, folder, described_view)
        files = RecordedFiles(folder, index["completed"])
        files.check(index["image_ids"], [example.path for example in examples])
        most = np.load(folder / "features.npy", mmap_mode="r").shape[1]
        if dataset.has_clips and frames not in (None, most):
            raise CaptionerError(
                f"{folder}: this feature store has {most} frames of each clip, not "
                f"{frames}; choose another folder, or delete this one"
            )
        if index["completed"] == len(examples):
            return FeatureStore(folder)
        features = reopen_array(folder / "features.npy")
    else:
        most = (frames or FRAMES_OF_A_CLIP) if dataset.has_clips else 1
        shape = (len(examples), most, encoder.places, encoder.channels)
        features = create_array(folder / "features.npy", shape)
        index = {
            "format": FORMAT,
            "dataset": dataset.fingerprint(),
            "encoder": fingerprint,
            "view": described_view,
            "image_ids": [example.image_id for example in examples],
            "completed": 0,
            "unreadable": {},
            "shorter": {},
        }
        write_index(index_path, index)

    from captioner.engines.keras import compiled  # whoever only reads a store needs no Keras

    encode = compiled(encoder)  # 2.5 times as fast as eagerly
    start = written = index["completed"]
    files = RecordedFiles(folder, start)
    files.resume()
    size = encoder.image_size

    def read(example: CaptionExample) -> Iterator[Clip]:
        if view is not None:
            return view.read(example, size)
        return read_clips(example.path, size, every=math.inf, most=most)

    seen: set[int] = set()  # rows with features; what breaks off has an error after them
    progress = tqdm(
        total=len(examples), initial=start, unit="image", desc="VGG16", disable=None, smoothing=0.05
    )
    with progress:
        for number, batch in enumerate(read_ahead(read, examples[start:], batch_size), start=1):
            clips = {start + r.index: r.clip for r in batch if isinstance(r.clip, Clip)}
            seen.update(clips)
            for row, encoded in encode_clips(encode, clips, batch_size):
                features[row, : len(encoded)] = encoded
                if len(encoded) < most:
                    index["shorter"][index["image_ids"][row]] = len(encoded)
            for reading in batch:
                row = start + reading.index
                if isinstance(reading.clip, CaptionerError):
                    if row not in seen:
                        index["unreadable"][index["image_ids"][row]] = str(reading.clip)
                    what = "in part" if row in seen else "left out"
                    progress.write(f"{what}: {reading.clip}", file=sys.stderr)
            done = sum(reading.last for reading in batch)
            index["completed"] += done
            progress.update(done)
            if number % _BATCHES_PER_CHECKPOINT == 0 or index["completed"] == len(examples):
                # The features reach the file before the index says that they are there.
                features.flush()
                files.add(example.path for example in examples[written : index["completed"]])
                written = index["completed"]
                write_index(index_path, index)
    return FeatureStore(folder)
