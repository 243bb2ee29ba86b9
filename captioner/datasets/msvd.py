"""Reader of MSVD (Microsoft Research Video Description Corpus), with the usual split."""

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path

from captioner.datasets.dataset import Dataset
from captioner.datasets.source import clip_example, clips_folder, read_source, with_images
from captioner.errors import CaptionerError

# The authors' list of English captions, and two usual names of the whole corpus.
MSVD_FILES = ("AllVideoDescriptions.txt", "MSR Video Description Corpus.csv", "video_corpus.csv")
_MAPPING = "youtube_mapping.txt"
_FOLDERS = ("YouTubeClips", "videos")
_COLUMNS = ("VideoID", "Start", "End", "Language", "Description")
_TRAIN, _VAL = 1200, 1300  # the last clips of the two splits


def read_msvd(
    path: str | os.PathLike[str], images_dir: str | os.PathLike[str] | None = None
) -> Dataset:
    """Read the English captions of MSVD, and the split from `youtube_mapping.txt`.

    That file numbers 1970 clips. As in the literature since Venugopalan et al. 2015, clips up to
    1200 are for training, clips up to 1300 for validation, and the others for testing. Captions of
    clips without a number are left out.

    Args:
        path: Path of `AllVideoDescriptions.txt`, or of the CSV file of the whole corpus, with
            `youtube_mapping.txt` beside it; or of their folder.
        images_dir: Folder of the clips, `VIDEO_START_END.avi`; by default `YouTubeClips` or
            `videos` beside the file, or the file's own folder if there is neither.

    Returns:
        The data set "msvd", in the order of the numbers; image ids are names of clips without
        ".avi".

    Raises:
        CaptionerError: If a file is missing or malformed, a clip has no English captions, or the
            clips are not found.

    Source: Chen and Dolan 2011, "Collecting Highly Parallel Data for Paraphrase Evaluation",
    https://www.cs.utexas.edu/~ml/clamp/videoDescription/; Venugopalan et al. 2015,
    https://arxiv.org/abs/1412.4729, for the split.

    Example:
        >>> read_msvd("msvd").split("test")  # doctest: +SKIP
    """
    path = Path(path)
    if path.is_dir():
        paths = [path / name for name in MSVD_FILES if (path / name).exists()]
        if not paths:
            raise CaptionerError(f"{path} has none of {', '.join(MSVD_FILES)}: add one")
        path = paths[0]
    captions: dict[str, list[str]] = {}
    rows = _read_corpus(path) if path.suffix.lower() == ".csv" else _read_descriptions(path)
    for clip_id, caption in rows:
        captions.setdefault(clip_id, []).append(caption)
    if images_dir is None:
        images_dir = clips_folder(path.parent, _FOLDERS)
    examples = [
        clip_example(
            clip_id,
            Path(images_dir) / f"{clip_id}.avi",
            captions.get(clip_id, ()),
            "train" if number <= _TRAIN else "val" if number <= _VAL else "test",
            path,
        )
        for number, clip_id in sorted(_read_mapping(path.parent / _MAPPING))
    ]
    return with_images("msvd", examples, path)


def _read_mapping(path: Path) -> Iterator[tuple[int, str]]:
    if not path.exists():
        raise CaptionerError(
            f"{path} is missing; it contains the split: put it there "
            "(https://github.com/yaoli/arctic-capgen-vid has it)"
        )
    for line_number, line in enumerate(read_source(path).splitlines(), start=1):
        if not line.strip():
            continue
        clip_id, _, name = line.strip().partition(" ")
        if not (name.startswith("vid") and name[3:].isdecimal()):
            raise CaptionerError(
                f'{path}, line {line_number}, is not like "-4wsuPCjDBc_5_15 vid1": correct it'
            )
        yield int(name[3:]), clip_id


def _read_descriptions(path: Path) -> Iterator[tuple[str, str]]:
    for line in read_source(path).splitlines():
        clip_id, _, caption = line.strip().partition(" ")
        if clip_id and not clip_id.startswith("#"):
            yield clip_id, caption


def _read_corpus(path: Path) -> Iterator[tuple[str, str]]:
    reader = csv.DictReader(io.StringIO(read_source(path), newline=""))
    missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise CaptionerError(f"the header of {path} lacks {', '.join(missing)}: download it again")
    try:
        for row in reader:
            if row["Language"] == "English":
                yield f"{row['VideoID']}_{row['Start']}_{row['End']}", row["Description"] or ""
    except csv.Error as error:
        raise CaptionerError(
            f"{path} is not CSV after line {reader.line_num} ({error}): download it again"
        ) from error
