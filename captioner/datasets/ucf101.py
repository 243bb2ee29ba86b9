"""UCF101 as its authors publish it, and whatever is laid out like it."""

import os
import re
from pathlib import Path

from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.folders import stratified_split
from captioner.datasets.source import read_source
from captioner.errors import CaptionerError

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
