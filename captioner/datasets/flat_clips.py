"""A flat folder of clips whose file names say what is done: about12.mp4 shows "about"."""

import os
import re
from pathlib import Path

from captioner.datasets.clip_dataset import ClipDataset, ClipExample
from captioner.datasets.stratified_split import stratified_split
from captioner.errors import CaptionerError
from captioner.media.files import find_media

# What people put between a label and a clip's number, or behind the number in brackets.
_NUMBER = re.compile(r"[\s._-]*\(?\d+\)?$")


def read_flat_clips(folder: str | os.PathLike[str], seed: int) -> ClipDataset:
    """Read a folder of videos and animations; a file's label is its name without its number.

    Args:
        folder: the folder.
        seed: of the split, 60, 20 and 20 of 100 of each label.

    Returns:
        The data set, named like the folder; clip ids are file names.

    Raises:
        CaptionerError: the folder has no clips, or a file's name is nothing but a number.

    Example:
        >>> read_flat_clips("clips", seed=1).labels  # doctest: +SKIP
        ('about', 'camera')
    """
    folder = Path(folder)
    labels = {}
    for path in map(Path, find_media([folder])):
        if path.is_dir():  # a folder without media is found as itself
            raise CaptionerError(f"{folder} has no clips: give a folder of videos")
        labels[path.name] = label_of_name(path)
    split = stratified_split(labels, seed)
    return ClipDataset(
        folder.name,
        tuple(
            ClipExample(name, str(folder / name), label, split[name])
            for name, label in labels.items()
        ),
    )


def label_of_name(path: Path) -> str:
    """The label that a file's name tells.

    Raises:
        CaptionerError: If the name is nothing but a number.

    Example:
        >>> [label_of_name(Path(name)) for name in ("about12.mp4", "high_jump-003.avi", "wave.gif")]
        ['about', 'high_jump', 'wave']
    """
    label = _NUMBER.sub("", path.stem)
    if not label:
        raise CaptionerError(
            f"{path} has no label in its name: name it like about{path.stem}{path.suffix}, or put "
            "the clips of each label into a folder of its own"
        )
    return label
