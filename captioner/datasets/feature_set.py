"""A data set as one small file of VGG16's features and captions, without the images."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from captioner.arrays import ClipFeatures
from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.source import FEATURES_SUFFIX, caption_words
from captioner.errors import CaptionerError
from captioner.replacing import replacing

_STEPS = 255


def write_feature_set(
    path: Path, features: Sequence[np.ndarray], captions: Sequence[Sequence[str]], encoder: str
) -> None:
    """Write features and captions of images; an image takes about 4 kB.

    Nine tenths of VGG16's features are zero. The rest is stored in steps of its square root with
    8 bits, which changes features by 15 % (root mean square), and compressed.

    Args:
        path: File to write, ending in `.features.npz`.
        features: Features of each image, float (1, P, C), not negative.
        captions: Captions of each image; may be empty.
        encoder: Fingerprint of the encoder, see `VGG16Encoder.fingerprint`.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "mine.features.npz")
        >>> write_feature_set(path, [np.eye(4)[None]], [["A dog."]], encoder="0123")
        >>> read_feature_set(path).examples[0].captions, load_features(path, "0123")[0].shape
        (('A dog.',), (4, 4))
    """
    stacked = np.stack([own[0] for own in features]).astype(np.float32)  # (N, P, C)
    top = max(float(np.percentile(stacked, 99.95)), 1e-6)
    levels = np.round(_STEPS * np.sqrt(np.clip(stacked, 0, top) / top)).astype(np.uint8)
    with replacing(path) as partial:
        np.savez_compressed(
            partial,
            levels=levels.transpose(0, 2, 1),  # (N, C, P): zeros are side by side
            top=np.float32(top),
            captions=np.array(json.dumps([list(own) for own in captions])),
            encoder=np.array(encoder),
        )


def read_feature_set(path: Path) -> Dataset:
    """Read the captions of a feature set; all of its images are for training.

    Raises:
        CaptionerError: If the file cannot be read or has no captions.
    """
    name = path.name.removesuffix(FEATURES_SUFFIX)
    captions = json.loads(str(_read(path)["captions"]))
    return Dataset(
        name,
        tuple(
            Example(
                f"{name}{number}",
                str(path),
                tuple(own),
                tuple(caption_words(caption, f"{path}, image {number},") for caption in own),
            )
            for number, own in enumerate(captions)
        ),
    )


def load_features(path: Path, encoder: str) -> ClipFeatures:
    """Load the features of a feature set.

    Args:
        path: Path of the file.
        encoder: Fingerprint of the encoder that the features must be of.

    Returns:
        float32 (N, P, C).

    Raises:
        CaptionerError: If the file cannot be read, or its features are of another encoder.
    """
    content = _read(path)
    if str(content["encoder"]) != encoder:
        raise CaptionerError(
            f"{path} has features of another VGG16: use the preset that it was made with"
        )
    levels = content["levels"].transpose(0, 2, 1).astype(np.float32)
    return (levels / _STEPS) ** 2 * content["top"]


def feature_set_of(dataset: Dataset) -> Path | None:
    """Return the file of a data set that is a feature set, otherwise None."""
    path = dataset.examples[0].path
    return Path(path) if path.endswith(FEATURES_SUFFIX) else None


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file, np.load(file) as content:
            return {name: content[name] for name in ("levels", "top", "captions", "encoder")}
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise CaptionerError(f"{path} is not a feature set ({error}): make it again") from error
