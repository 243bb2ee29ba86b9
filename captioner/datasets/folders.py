"""Readers of clips that are labelled by their folder's or file's name, and of UCF101's lists."""

import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.source import read_source
from captioner.errors import CaptionerError
from captioner.media.files import find_clips, find_media

SHARES = {"train": 0.6, "val": 0.2, "test": 0.2}
# The number at the end of a file name, with the characters before it and any brackets around it.
_NUMBER = re.compile(r"[\s._-]*\(?\d+\)?$")
# Folder names that are splits, as in Keras' flow_from_directory.
SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}


def read_class_folders(folder: str | os.PathLike[str], seed: int) -> Dataset:
    """Read clips `label/clip.mp4`, or `label/clip/0001.jpg`, where a folder of frames is one clip.

    If the folders are named train, val and test (or as in `SPLIT_FOLDERS`), the folders of the
    labels are inside them.

    Args:
        folder: Folder that contains the folders.
        seed: Seed of the split (60, 20 and 20 % of each label), if the folders define none.

    Returns:
        The data set, named like the folder; clip ids are paths relative to it.

    Raises:
        CaptionerError: If there are no clips, or no folder for "train" or "val" among the splits.

    Example:
        >>> read_class_folders("UCF-101", seed=1).split("val")  # doctest: +SKIP
    """
    folder = Path(folder)
    inner = _folders(folder)
    if not inner:
        raise CaptionerError(f"{folder} has no folders: give one for each label")
    if {path.name.lower() for path in inner} <= SPLIT_FOLDERS.keys():
        splits = {path: SPLIT_FOLDERS[path.name.lower()] for path in inner}
        if missing := sorted({"train", "val"} - set(splits.values())):
            raise CaptionerError(
                f"{folder} has no folder {' or '.join(missing)}: make it, or put the folders of "
                "the labels there, which are then split at random"
            )
        return Dataset(
            folder.name,
            tuple(
                Example(name, str(folder / name), split=split, label=label)
                for path, split in splits.items()
                for name, label in _clips(folder, _folders(path)).items()
            ),
        )
    return _split_clips(folder, _clips(folder, inner), seed)


def _clips(root: Path, of_labels: list[Path]) -> dict[str, str]:
    """Return labels by paths relative to `root`."""
    labels = {}
    for path in of_labels:
        files = [file for file in find_media([path]) if file != str(path)]
        for clip in (*files, *find_clips(_folders(path), recursive=True)):
            labels[Path(clip).relative_to(root).as_posix()] = path.name
    return labels


def _folders(path: Path) -> list[Path]:
    return sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))


def read_flat_clips(folder: str | os.PathLike[str], seed: int) -> Dataset:
    """Read a folder of videos and animations; a file's label is its name without its number.

    Args:
        folder: Folder of the clips.
        seed: Seed of the split (60, 20 and 20 % of each label).

    Returns:
        The data set, named like the folder; clip ids are file names.

    Raises:
        CaptionerError: If the folder has no clips, or a file's name is only a number.

    Example:
        >>> read_flat_clips("clips", seed=1).labels  # doctest: +SKIP
        ('about', 'camera')
    """
    folder = Path(folder)
    labels = {}
    for path in map(Path, find_media([folder])):
        if path.is_dir():  # find_media returns a folder itself if it has no media
            raise CaptionerError(f"{folder} has no clips: give a folder of videos")
        labels[path.name] = label_of_name(path)
    return _split_clips(folder, labels, seed)


def _split_clips(folder: Path, labels: dict[str, str], seed: int) -> Dataset:
    """Make the data set of labelled clips, with a random split within each label."""
    drawn = stratified_split(labels, seed)
    examples = [
        Example(name, str(folder / name), split=drawn[name], label=label)
        for name, label in labels.items()
    ]
    return Dataset(folder.name, tuple(examples))


def label_of_name(path: Path) -> str:
    """Return the label in a file's name.

    Raises:
        CaptionerError: If the name is only a number.

    Example:
        >>> [label_of_name(Path(name)) for name in ("about12.mp4", "high_jump-003.avi", "wave.gif")]
        ['about', 'high_jump', 'wave']
    """
    label = _NUMBER.sub("", path.stem)
    if not label:
        raise CaptionerError(
            f"{path} has no label in its name: name it like about{path.stem}{path.suffix}, or put "
            "the clips of each label into their own folder"
        )
    return label


def stratified_split(
    labels: Mapping[str, str], seed: int, shares: Mapping[str, float] = SHARES
) -> dict[str, str]:
    """Split items so that each label has the same shares in all splits.

    The split depends only on the names, the labels and the seed, not on the order of the items.
    Adding or removing other labels does not change it.

    Args:
        labels: Label of each item by the item's name.
        seed: Seed of the shuffling, from the config.
        shares: Share of each split; they add up to 1. The last split gets the remainder.

    Returns:
        The split of each item by its name.

    Example:
        >>> split = stratified_split({f"yes{n}": "yes" for n in range(5)}, seed=1)
        >>> sorted(split.values())
        ['test', 'train', 'train', 'train', 'val']
    """
    names: dict[str, list[str]] = defaultdict(list)
    for name, label in labels.items():
        names[label].append(name)
    split = {}
    for label, members in names.items():
        ordered = sorted(members)
        rng = np.random.default_rng((seed, *label.encode()))
        shuffled = [ordered[place] for place in rng.permutation(len(ordered))]
        ends = np.cumsum(list(shares.values())) * len(shuffled)
        for part, chosen in zip(shares, _cut(shuffled, ends), strict=True):
            split.update(dict.fromkeys(chosen, part))
    return split


def _cut(names: Sequence[str], ends: np.ndarray) -> list[Sequence[str]]:
    places = [0, *(int(end + 0.5) for end in ends[:-1]), len(names)]
    return [names[start:end] for start, end in pairwise(places)]


CLASS_FILE = "classInd.txt"
_VIDEO_FOLDERS = ("UCF-101", "UCF101", "videos", ".")
_GROUP = re.compile(r"_g(\d+)_c\d+$")


def read_ucf101(folder: str | os.PathLike[str], seed: int, split: int = 1) -> Dataset:
    """Read UCF101 by `classInd.txt`, `trainlist01.txt` and `testlist01.txt`.

    The authors have no validation split; it gets a fifth of the train list's groups. A group has
    the clips that were cut from one video, 25 groups per label. Clips of one video look alike, so
    no group is in two splits.

    Args:
        folder: Folder of the text files, or of `ucfTrainTestlist`, which contains them.
        seed: Seed of the validation split.
        split: Number of one of the authors' three splits.

    Returns:
        The data set "ucf101"; clip ids are those of the lists.

    Raises:
        CaptionerError: If a file is missing or a line malformed, or the videos are not found.

    Source: Soomro, Zamir and Shah 2012, https://arxiv.org/abs/1212.0402.

    Example:
        >>> read_ucf101("ucf101", seed=1).split("test")  # doctest: +SKIP
    """
    folder = Path(folder)
    inner = folder / "ucfTrainTestlist"
    lists = inner if (inner / CLASS_FILE).exists() else folder
    numbers = _read_classes(lists / CLASS_FILE)
    train = _read_list(lists / f"trainlist{split:02}.txt", numbers)
    test = _read_list(lists / f"testlist{split:02}.txt", numbers)
    groups = {_group(name): label for name, label in train.items()}
    kept = stratified_split(groups, seed, {"train": 0.8, "val": 0.2})
    splits = {name: kept[_group(name)] for name in train} | dict.fromkeys(test, "test")
    places = [folder / name for name in _VIDEO_FOLDERS]
    first = next(iter(splits))
    root = next((place for place in places if (place / first).exists()), None)
    if root is None:
        raise CaptionerError(
            f"{lists} lists {first}, which is neither in {folder} nor in its folder UCF-101: put "
            "the videos there"
        )
    labels = {**train, **test}
    return Dataset(
        "ucf101",
        tuple(
            Example(name, str(root / name), split=part, label=labels[name])
            for name, part in splits.items()
        ),
    )


def _group(name: str) -> str:
    """Return a clip's group, such as `ApplyEyeMakeup/v_ApplyEyeMakeup_g08`, or else its name."""
    path = Path(name)
    return (path.parent / _GROUP.sub(r"_g\1", path.stem)).as_posix()


def _read_classes(path: Path) -> dict[str, str]:
    """Return labels by their numbers in the lists."""
    labels = {}
    for number, line in enumerate(read_source(path).splitlines(), start=1):
        if not line.strip():
            continue
        index, _, label = line.strip().partition(" ")
        if not (index.isdigit() and label):
            raise CaptionerError(f'{path}, line {number}, is not "1 ApplyEyeMakeup": correct it')
        labels[index] = label
    return labels


def _read_list(path: Path, numbers: dict[str, str]) -> dict[str, str]:
    """Return labels by names of clips; in a test list, the folder in a name is the label."""
    labels = {}
    for number, line in enumerate(read_source(path).splitlines(), start=1):
        if not line.strip():
            continue
        name, _, index = line.strip().partition(" ")
        label = numbers.get(index.strip()) if index else name.partition("/")[0]
        if label not in numbers.values():
            raise CaptionerError(
                f"{path}, line {number}, has a class that {CLASS_FILE} lacks: correct it"
            )
        labels[name] = str(label)
    return labels
