"""One door to all readers of clips: the data set is recognized by what is there."""

import os
from pathlib import Path

from captioner.datasets.class_folders import read_class_folders
from captioner.datasets.clip_dataset import ClipDataset
from captioner.datasets.flat_clips import read_flat_clips
from captioner.datasets.ucf101 import CLASS_FILE, read_ucf101
from captioner.errors import CaptionerError
from captioner.media.files import find_media


def read_clip_dataset(path: str | os.PathLike[str], seed: int = 1) -> ClipDataset:
    """Read clips with labels from a folder, whatever its kind.

    Args:
        path: a folder with UCF101's `classInd.txt`, with clips named by their label and a number,
            or with a folder of clips for each label.
        seed: of the split, where the data set has none of its own.

    Returns:
        The data set.

    Raises:
        CaptionerError: nothing readable is there, or the reader refuses it.

    Example:
        >>> read_clip_dataset("clips").split("train")  # doctest: +SKIP
    """
    path = Path(path)
    if not path.is_dir():
        raise CaptionerError(f"{path} is no folder: give one of clips, or of folders of clips")
    if (path / CLASS_FILE).exists() or (path / "ucfTrainTestlist" / CLASS_FILE).exists():
        return read_ucf101(path, seed)
    if list(find_media([path])) != [str(path)]:
        return read_flat_clips(path, seed)
    return read_class_folders(path, seed)
