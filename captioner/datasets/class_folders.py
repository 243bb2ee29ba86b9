"""A folder for each label, with videos, or with folders of numbered frames, in it."""

import os
from pathlib import Path

from captioner.datasets.clip_dataset import ClipDataset, ClipExample
from captioner.datasets.stratified_split import stratified_split
from captioner.errors import CaptionerError
from captioner.media.clip_files import find_clips
from captioner.media.files import find_media

# As those name them who load pictures by keras' flow_from_directory.
SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}


def read_class_folders(folder: str | os.PathLike[str], seed: int) -> ClipDataset:
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
        return ClipDataset(
            folder.name,
            tuple(
                ClipExample(name, str(folder / name), label, split)
                for path, split in splits.items()
                for name, label in _clips(folder, _folders(path)).items()
            ),
        )
    labels = _clips(folder, inner)
    drawn = stratified_split(labels, seed)
    return ClipDataset(
        folder.name,
        tuple(
            ClipExample(name, str(folder / name), label, drawn[name])
            for name, label in labels.items()
        ),
    )


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
