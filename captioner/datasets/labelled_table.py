"""Reader of a table of clips with labels, such as JHMDB's, with its groups by source video."""

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.folders import SHARES, stratified_split
from captioner.datasets.rows import DELIMITERS, IMAGE_COLUMNS, SPLIT_COLUMNS, SPLITS, plain_name
from captioner.datasets.source import read_source
from captioner.errors import CaptionerError

_LABEL_COLUMNS = ("label", "class", "class_name", "action", "activity", "category")
_GROUP_COLUMNS = ("group", "source_video", "source")
_SPLIT_COLUMNS = (*SPLIT_COLUMNS, "suggested_split")
_MEND = "begin it with a line such as clip,label (also with split and group)"


def read_labelled_table(path: str | os.PathLike[str], seed: int) -> Dataset:
    r"""Read a table of clips and their labels, with commas, semicolons, tabs or bars.

    Columns may have any of the usual names (`clip`, `path`, `file_name`, ...; `label`, `class`,
    ...; `split`; `group`, `source_video`). Clips that were cut from one video look alike: with a
    group column, no group is in two splits that are drawn here.

    Without a split column, 60, 20 and 20 % of each label's groups (or clips) go to train, val and
    test. If the table defines train and test but no val, a fifth of each label's groups in train
    goes to val.

    Args:
        path: Path of the table; relative paths of clips start from its folder.
        seed: Seed of the splits that are drawn.

    Returns:
        The data set, named like the file; clip ids are the paths as written in the table.

    Raises:
        CaptionerError: If the file is no such table, a row is incomplete, or a split is unknown.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "clips.csv"
        >>> rows = [f"{x}{n}.avi;{x};{x}{n // 2}\n" for x in ("run", "wave") for n in range(10)]
        >>> _ = path.write_text("clip;label;group\n" + "".join(rows))
        >>> [len(read_labelled_table(path, seed=1).split(s)) for s in ("train", "val", "test")]
        [12, 4, 4]
    """
    path = Path(path)
    text = read_source(path)
    lines = csv.reader(io.StringIO(text), delimiter=_delimiter(text))
    names = [plain_name(cell) for cell in next(lines, [])]
    clip = _column(path, names, IMAGE_COLUMNS, "clip")
    label = _column(path, names, _LABEL_COLUMNS, "label")
    split = next((names.index(name) for name in _SPLIT_COLUMNS if name in names), None)
    group = next((names.index(name) for name in _GROUP_COLUMNS if name in names), None)
    labels: dict[str, str] = {}
    groups: dict[str, str] = {}
    given: dict[str, str] = {}
    for cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        cells = [cell.strip() for cell in cells] + [""] * (len(names) - len(cells))
        place = f"{path}, line {lines.line_num},"
        if not cells[clip] or not cells[label]:
            raise CaptionerError(f"{place} lacks a clip or a label: fill it in or remove the row")
        if cells[clip] in labels:
            raise CaptionerError(f"{place} repeats {cells[clip]}: keep one of its rows")
        named = "" if split is None else cells[split].lower()
        if named and named not in SPLITS:
            raise CaptionerError(
                f"{place} has a split other than train, val, test: correct {named!r}"
            )
        labels[cells[clip]] = cells[label]
        groups[cells[clip]] = cells[clip] if group is None else cells[group] or cells[clip]
        given[cells[clip]] = SPLITS.get(named, "")
    if not labels:
        raise CaptionerError(f"{path} has no clips: add a row for each")
    splits = _complete(given, labels, groups, seed)
    return Dataset(
        path.stem,
        tuple(
            Example(name, str(path.parent / name), split=splits[name], label=labels[name])
            for name in labels
        ),
    )


def _complete(
    given: Mapping[str, str], labels: Mapping[str, str], groups: Mapping[str, str], seed: int
) -> dict[str, str]:
    """Return the split of each clip: the given one, or one drawn for its group."""
    free = [name for name, split in given.items() if not split]
    drawn = _draw(free, labels, groups, seed, SHARES)
    splits = {name: split or drawn[name] for name, split in given.items()}
    if "val" not in splits.values():
        train = [name for name, split in splits.items() if split == "train"]
        splits.update(_draw(train, labels, groups, seed, {"train": 0.8, "val": 0.2}))
    return splits


def _draw(
    names: Sequence[str],
    labels: Mapping[str, str],
    groups: Mapping[str, str],
    seed: int,
    shares: Mapping[str, float],
) -> dict[str, str]:
    of_groups = {groups[name]: labels[name] for name in names}
    drawn = stratified_split(of_groups, seed, shares)
    return {name: drawn[groups[name]] for name in names}


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(DELIMITERS, key=first.count)


def _column(path: Path, names: Sequence[str], known: Sequence[str], kind: str) -> int:
    found = next((names.index(name) for name in known if name in names), None)
    if found is None:
        raise CaptionerError(f"the header of {path} has no column for the {kind}: {_MEND}")
    return found
