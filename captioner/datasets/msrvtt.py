"""Reader of MSR-VTT as its authors publish it: JSON files of videos and sentences."""

import json
import os
from pathlib import Path
from typing import Any

from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.source import (
    clip_example,
    clips_folder,
    name_shortcoming,
    read_source,
    with_images,
)
from captioner.errors import CaptionerError

MSRVTT_FILES = ("train_val_videodatainfo.json", "test_videodatainfo.json")
_SPLITS = {"train": "train", "validate": "val", "test": "test"}
# Folders of each split: one for all clips, or that of the authors' archives.
_FOLDERS = {
    "train": ("videos", "TrainValVideo"),
    "val": ("videos", "TrainValVideo"),
    "test": ("videos", "TestVideo"),
}


def read_msrvtt(
    path: str | os.PathLike[str], images_dir: str | os.PathLike[str] | None = None
) -> Dataset:
    """Read MSR-VTT from `train_val_videodatainfo.json` and `test_videodatainfo.json`.

    The files contain the official split: 6513 clips for training, 497 for validation and 2990 for
    testing.

    Args:
        path: Path of one of the files, or of a folder with one or both of them.
        images_dir: Folder of the clips `video0.mp4` and so on; by default the files' own. It may
            have the clips in `videos`, or in `TrainValVideo` and `TestVideo`.

    Returns:
        The data set "msrvtt", in the order of the files; image ids are video ids.

    Raises:
        CaptionerError: If a file is missing or in another format, a clip has no captions, or the
            clips are not found.

    Source: Xu, Mei, Yao and Rui 2016, "MSR-VTT: A Large Video Description Dataset for Bridging
    Video and Language".

    Example:
        >>> read_msrvtt("msrvtt").split("test")  # doctest: +SKIP
    """
    path = Path(path)
    folder = path if path.is_dir() else path.parent
    root = folder if images_dir is None else Path(images_dir)
    paths = [path]
    if path.is_dir():
        paths = [path / name for name in MSRVTT_FILES if (path / name).exists()]
        if not paths:
            raise CaptionerError(f"{path} has neither {' nor '.join(MSRVTT_FILES)}: add one")
    examples = [example for file in paths for example in _read_file(file, root)]
    return with_images("msrvtt", examples, paths[0])


def _read_file(path: Path, root: Path) -> list[Example]:
    try:
        content = json.loads(read_source(path))
    except ValueError as error:
        raise CaptionerError(f"{path} is not JSON ({error}): download it again") from error
    try:
        captions: dict[str, list[str]] = {}
        for sentence in content["sentences"]:
            captions.setdefault(sentence["video_id"], []).append(str(sentence["caption"]))
        return [_example(video, captions, root, path) for video in content["videos"]]
    except (KeyError, TypeError) as error:
        raise CaptionerError(
            f"{path} is not one of MSR-VTT's files ({name_shortcoming(error)}): it needs "
            '"videos" with "video_id" and "split", and "sentences" with "video_id" and "caption"'
        ) from error


def _example(
    video: dict[str, Any], captions: dict[str, list[str]], root: Path, source: Path
) -> Example:
    video_id = video["video_id"]
    if video["split"] not in _SPLITS:
        raise CaptionerError(
            f"{source} puts {video_id} into a split other than {', '.join(_SPLITS)}: correct it"
        )
    split = _SPLITS[video["split"]]
    clip = clips_folder(root, _FOLDERS[split]) / f"{video_id}.mp4"
    return clip_example(video_id, clip, captions.get(video_id, ()), split, source)
