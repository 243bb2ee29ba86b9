"""Clips among files: a video is one, and so is a folder of numbered frames."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from captioner.media.files import IMAGE_SUFFIXES, VIDEO_SUFFIXES, find_media


def find_clips(
    patterns: Iterable[str | os.PathLike[str]], *, recursive: bool = False
) -> Iterator[str]:
    """Yield the clips that some arguments name, in their order.

    As `find_media` does, but a folder with two pictures or more and no video is one clip, and is
    yielded itself, whether it is an argument or, with `recursive`, lies within one.

    Args:
        patterns: Files, folders and patterns.
        recursive: Whether the subfolders of folders are searched.

    Yields:
        Paths of files and of folders of frames.

    Example:
        >>> list(find_clips(["missing.mp4"]))
        ['missing.mp4']
    """
    for pattern in map(os.fsdecode, patterns):
        if not Path(pattern).is_dir():
            yield from find_media([pattern])
        elif is_frame_folder(pattern):
            yield pattern
        elif not recursive:
            yield from find_media([pattern])
        else:
            inner = sorted(p for p in Path(pattern).iterdir() if p.is_dir() and p.name[0] != ".")
            of_files = [f for f in find_media([pattern]) if f != pattern or not inner]
            yield from of_files
            yield from find_clips(inner, recursive=True)


def is_frame_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a folder is one clip: it has pictures, two at least, and no video."""
    try:
        names = [p.name.lower() for p in Path(path).iterdir() if not p.name.startswith(".")]
    except OSError:
        return False
    pictures = sum(name.endswith(IMAGE_SUFFIXES) for name in names)
    return pictures > 1 and not any(name.endswith(VIDEO_SUFFIXES) for name in names)


def frame_files(folder: str | os.PathLike[str]) -> list[str]:
    """Return the images of a folder of frames by their numbers: 2.jpg before 10.jpg."""
    return list(find_media([folder]))
