"""Reads a data set of any kind; the kind is recognized by the files."""

import os
from pathlib import Path

from captioner.datasets.coco import COCO_PATTERN, read_coco, read_karpathy
from captioner.datasets.dataset import Dataset
from captioner.datasets.flickr8k import TOKEN_FILE, read_flickr8k
from captioner.datasets.library_captions import is_library, read_library
from captioner.datasets.msrvtt import MSRVTT_FILES, read_msrvtt
from captioner.datasets.msvd import MSVD_FILES, read_msvd
from captioner.datasets.rows import is_table
from captioner.datasets.sentences import SENTENCE_SUFFIXES, read_sentences
from captioner.datasets.source import FEATURES_SUFFIX, read_source
from captioner.datasets.table import caption_file, read_captioned_folder, read_table
from captioner.errors import CaptionerError
from captioner.media.files import find_media, is_media
from captioner.results import ACTIVITY, CAPTION

# Usual names of tables.
_TABLES = (
    "captions.csv", "captions.jsonl", "captions.tsv", "captions.txt", "metadata.csv",
    "metadata.jsonl", "results.csv",
)  # fmt: skip
_TABLE_SUFFIXES = (".csv", ".jsonl", ".tsv")
_MEND = (
    "give a table of images and captions (.csv, .tsv, .jsonl, .txt, .json), a library, one of "
    f"Karpathy's .json files, or a folder with dataset_*.json, {', '.join(_TABLES)}, "
    f"{COCO_PATTERN}, {TOKEN_FILE}, {MSRVTT_FILES[0]} or {MSVD_FILES[0]}, or with a text file "
    "beside each image"
)
# Data sets of several files, and the file names by which their folders are recognized.
_FOLDER_READERS = (
    ((TOKEN_FILE,), read_flickr8k),
    (MSRVTT_FILES, read_msrvtt),
    (MSVD_FILES, read_msvd),
)


def read_dataset(
    path: str | os.PathLike[str],
    images_dir: str | os.PathLike[str] | None = None,
    task: str = CAPTION,
    seed: int = 1,
    strict: bool = False,
) -> Dataset:
    """Read a data set of any kind: images or clips with captions, or clips with labels.

    If a folder has the original files of Flickr8k, MSR-VTT or MSVD and also another kind, the other
    kind is read.

    Args:
        path: One of Karpathy's `.json` files, a table (see `read_table`), or a folder with one of
            them (`dataset_*.json`; `captions.csv`, `metadata.jsonl` and the like), with
            `Flickr8k.token.txt`, or with a `.txt` file beside each image;
            COCO's `captions_*.json` or their folder, also with `annotations` in it;
            a library of `caption --library`, for its corrected captions;
            MSR-VTT's `*videodatainfo*.json`, MSVD's `AllVideoDescriptions.txt`, or their folder;
            a `.features.npz` file, see `write_feature_set`;
            any other `.txt` or `.txt.gz` file has captions without images, see `read_sentences`.
            For activities: a table of clips and labels (see `read_labelled_table`), or a folder
            with UCF101's `classInd.txt`, with clips named by their label and a number, or with a
            folder of clips for each label.
        images_dir: Folder of the images or clips, if it is not the reader's default.
        task: "caption" or "activity".
        seed: Seed of the split of clips with labels, if the data set has no split.
        strict: If True, refuse a table with faulty rows; otherwise leave them out.

    Returns:
        The data set.

    Raises:
        CaptionerError: If there is no readable data set, or several, or the reader refuses it.

    Example:
        >>> read_dataset("flickr8k").split("train")  # doctest: +SKIP
    """
    path = Path(path)
    if task == ACTIVITY:
        return _read_labelled(path, images_dir, seed)
    if not path.exists():
        raise CaptionerError(f"{path} does not exist: {_MEND}")
    if path.is_dir():
        tables = [path / name for name in _TABLES]
        files = sorted(path.glob("dataset_*.json")) + [table for table in tables if table.exists()]
        if len(files) > 1:
            names = " and ".join(file.name for file in files)
            raise CaptionerError(f"{path} has {names}: name the one to read")
        if not files:
            for own_names, read in _FOLDER_READERS:
                if any((path / name).exists() for name in own_names):
                    return read(path, images_dir)
            if any(path.glob(COCO_PATTERN)) or any(path.glob(f"annotations/{COCO_PATTERN}")):
                return read_coco(path, images_dir)
            if any(is_media(f.name) and caption_file(f) for f in path.iterdir()):
                return read_captioned_folder(path, strict)
            raise CaptionerError(f"{path} has no readable data set: {_MEND}")
        path = files[0]
    if is_library(path):
        return read_library(path)
    if path.name.endswith(FEATURES_SUFFIX):
        from captioner.datasets.feature_set import read_feature_set  # needs NumPy

        return read_feature_set(path)
    if path.name in MSVD_FILES:
        return read_msvd(path, images_dir)
    kind = path.suffix.lower()
    if kind == ".json" and "videodatainfo" in path.name:
        return read_msrvtt(path, images_dir)
    if path.match(COCO_PATTERN):
        return read_coco(path, images_dir)
    if kind == ".json":
        text = read_source(path)
        if text.lstrip().startswith("["):  # neuraltalk2's format, and user tables
            return read_table(path, images_dir, strict)
        if '"annotations"' in text:
            return read_coco(path, images_dir)
        if '"images"' not in text:  # captions by image
            return read_table(path, images_dir, strict)
        return read_karpathy(path, images_dir)
    if kind in _TABLE_SUFFIXES:
        return read_table(path, images_dir, strict)
    if path.name == TOKEN_FILE:
        return read_flickr8k(path, images_dir)
    if kind == ".txt" and is_table(path):
        return read_table(path, images_dir, strict)
    if path.name.endswith(SENTENCE_SUFFIXES):
        return read_sentences(path)
    raise CaptionerError(f"{path} is not a readable data set: {_MEND}")


def _read_labelled(path: Path, images_dir: str | os.PathLike[str] | None, seed: int) -> Dataset:
    # A split needs NumPy, captions do not.
    from captioner.datasets.folders import (
        CLASS_FILE,
        read_class_folders,
        read_flat_clips,
        read_ucf101,
    )
    from captioner.datasets.labelled_table import read_labelled_table

    if images_dir is not None:
        raise CaptionerError(
            "a folder of images is only for captions: the data set itself has the clips"
        )
    if path.is_file() and path.suffix.lower() in (".csv", ".tsv"):
        return read_labelled_table(path, seed)
    if not path.is_dir():
        raise CaptionerError(
            f"{path} is not a folder: give a folder of clips, or of folders of clips, or a table "
            "of clips and labels (.csv, .tsv)"
        )
    if (path / CLASS_FILE).exists() or (path / "ucfTrainTestlist" / CLASS_FILE).exists():
        return read_ucf101(path, seed)
    if list(find_media([path])) != [str(path)]:
        return read_flat_clips(path, seed)
    return read_class_folders(path, seed)
