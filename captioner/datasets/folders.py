"""Clips whose label is the name of their folder or of their file, and the lists of UCF101."""

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
# What people put between a label and a clip's number, or behind the number in brackets.
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
    """Read `label/clip.mp4`, or `label/clip/0001.jpg`: then the folder of frames is one clip.

    Where the folders are called train, val and test (or as in `SPLIT_FOLDERS`), those of the
    labels are within them.

    Args:
        folder: the folder of the folders.
        seed: of the split, 60, 20 and 20 of 100 of each label, where the folders tell none.

    Returns:
        The data set, named like the folder; clip ids are paths within it.

    Raises:
        CaptionerError: there are no clips, or one of the three splits lacks its folder.

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
                f"{folder} has no folder {' nor '.join(missing)}: make it, or put the folders of "
                "the labels themselves there for a split to be drawn"
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
    """Labels by paths within `root`."""
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
    return _split_clips(folder, labels, seed)


def _split_clips(folder: Path, labels: dict[str, str], seed: int) -> Dataset:
    """Make the data set of clips with known labels, split by chance within each label."""
    drawn = stratified_split(labels, seed)
    examples = [
        Example(name, str(folder / name), split=drawn[name], label=label)
        for name, label in labels.items()
    ]
    return Dataset(folder.name, tuple(examples))


def label_of_name(path: Path) -> str:
    """Return the label that a file's name tells.

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


def stratified_split(
    labels: Mapping[str, str], seed: int, shares: Mapping[str, float] = SHARES
) -> dict[str, str]:
    """Put each item into a split, so that each label is shared out alike.

    It depends on the names, the labels and the seed alone, not on the order in which they come;
    other labels may come and go without changing it.

    Args:
        labels: the label of each item by the item's name.
        seed: of the shuffling; a config names it.
        shares: of each split, adding up to 1; the last one gets what rounding leaves.

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

    The authors have no validation split. A fifth of the train list's groups, 25 films from which
    several clips each were cut, is taken for it: clips of one film look alike, so that no film is
    in two splits.

    Args:
        folder: where the text files are, or where `ucfTrainTestlist` with them is.
        seed: of the choice of the validation split.
        split: which of the authors' three splits.

    Returns:
        The data set "ucf101"; clip ids are as the lists have them.

    Raises:
        CaptionerError: a file is missing or a line malformed, or the videos are elsewhere.

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
            f"{lists} lists {first}, which is not in {folder} nor in its folder UCF-101: put the "
            "videos there"
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
    """`ApplyEyeMakeup/v_ApplyEyeMakeup_g08`; a clip of no group is one by itself."""
    path = Path(name)
    return (path.parent / _GROUP.sub(r"_g\1", path.stem)).as_posix()


def _read_classes(path: Path) -> dict[str, str]:
    """Labels by the numbers that the lists write."""
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
    """Labels by the names of clips; a test list has names alone, their folder tells the label."""
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
