"""Finding the images, videos and clips that command-line arguments name."""

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

RAW_SUFFIXES = (
    *(".dng", ".nef", ".nrw", ".cr2", ".cr3", ".arw", ".srf", ".sr2", ".raf", ".orf", ".rw2"),
    *(".pef", ".srw", ".rwl", ".3fr", ".fff", ".erf", ".kdc", ".dcr", ".mos", ".mrw", ".iiq"),
    *(".mef", ".x3f", ".gpr"),
)
# JPEG XL and some RAW files need an extra; they are listed so that an error says so.
IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".gif", ".webp", ".avif"),
    *(".heic", ".heif", ".hif", ".jxl", ".bmp", ".tif", ".tiff", ".jp2", ".j2k", ".jpx"),
    *(".pbm", ".pgm", ".ppm", ".pnm", ".tga"),
    *RAW_SUFFIXES,
)
VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".qt", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".m2v", ".vob"),
    *(".ts", ".mts", ".m2ts", ".wmv", ".asf", ".flv", ".f4v", ".ogv", ".3gp", ".3g2", ".mxf"),
    *(".dv", ".rm", ".rmvb", ".y4m", ".nut"),
)
_MEDIA_SUFFIXES = IMAGE_SUFFIXES + VIDEO_SUFFIXES


def find_media(
    patterns: Iterable[str | os.PathLike[str]],
    *,
    recursive: bool = False,
    all_files: bool = False,
    leave_out: Callable[[str, str], object] = lambda path, kind: None,
) -> Iterator[str]:
    """Yield the images and videos that the arguments name, in their order, each file once.

    An argument is one of

    - a file: yielded, regardless of its suffix;
    - a folder: its images and videos by suffix, without hidden files, 2.jpg before 10.jpg; with
      `recursive`, then those of its subfolders (links to folders are not followed);
    - a pattern that the shell did not expand (`*`, `?`, `[a-z]`, `**`): its matches that are
      images or videos, or have the suffix of the pattern (`*.dat`), and the contents of matching
      folders; parent folders that exist as spelled, such as `trip [2020]`, are not treated as
      patterns;
    - a path that does not exist, contains neither or cannot be listed: yielded unchanged. Every
      argument is thus accounted for: `read_clips` raises an error for each such path, and nothing
      raises here in the middle of a batch.

    A folder is listed only when its turn comes, and its files are not opened.

    Args:
        patterns: Files, folders and patterns.
        recursive: If True, subfolders are searched.
        all_files: If True, files with any suffix are yielded, except hidden ones.
        leave_out: Called with each omitted path in folders and patterns, and its kind: a suffix,
            "no suffix", "subfolders" (not searched) or "links to folders".

    Yields:
        Paths, relative where the argument is.

    Example:
        >>> list(find_media(["missing.jpg"]))
        ['missing.jpg']
    """
    is_wanted = (lambda path: True) if all_files else is_media
    seen = set()
    for pattern in map(os.fsdecode, patterns):
        found = False
        for path in _expand(pattern, recursive, is_wanted, leave_out):
            found = True
            real = os.path.realpath(path)
            if real not in seen:
                seen.add(real)
                yield path
        if not found and pattern not in seen:
            seen.add(pattern)
            yield pattern


def _expand(
    pattern: str,
    recursive: bool,
    is_wanted: Callable[[str], bool],
    leave_out: Callable[[str, str], object],
) -> Iterator[str]:
    # Path.is_dir raises an error if a parent folder is not accessible.
    if os.path.isdir(pattern):  # noqa: PTH112
        yield from _walk(pattern, recursive, is_wanted, leave_out)
    elif os.path.lexists(pattern):
        yield pattern
    elif "\0" not in pattern:  # no name has a zero byte, and glob rejects it
        suffix = Path(pattern).suffix.lower()
        matches = glob.iglob(_escape_folders(pattern), recursive=True)  # noqa: PTH207
        # Path.glob would match hidden files.
        for path in sorted(matches, key=_natural):
            if os.path.isdir(path):  # noqa: PTH112
                yield from _walk(path, recursive, is_wanted, leave_out)
            elif is_wanted(path) or (suffix and path.lower().endswith(suffix)):
                yield path
            else:
                leave_out(path, _kind(path))


def _escape_folders(pattern: str) -> str:
    """Escape the folders that exist as a pattern spells them, such as "trip [2020]"."""
    folder = os.path.dirname(pattern)  # noqa: PTH120
    while folder and not os.path.isdir(folder):  # noqa: PTH112
        folder = os.path.dirname(folder)  # noqa: PTH120
    return glob.escape(folder) + pattern[len(folder) :]


def _walk(
    folder: str,
    recursive: bool,
    is_wanted: Callable[[str], bool],
    leave_out: Callable[[str, str], object],
) -> Iterator[str]:
    files, folders = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry)
                elif _is_folder(entry):
                    leave_out(entry.path, "links to folders")
                elif is_wanted(entry.name):
                    files.append(entry)
                else:
                    leave_out(entry.path, _kind(entry.name))
    except OSError:
        yield folder
        return
    files.sort(key=lambda entry: _natural(entry.name))
    yield from (entry.path for entry in files)
    for entry in sorted(folders, key=lambda entry: _natural(entry.name)):
        if not recursive:
            leave_out(entry.path, "subfolders")
            continue
        yield from _walk(entry.path, recursive, is_wanted, leave_out)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _kind(path: str) -> str:
    return os.path.splitext(path)[1].lower() or "no suffix"  # noqa: PTH122


def is_media(path: str) -> bool:
    """Return True if a path has the suffix of an image or a video."""
    return path.lower().endswith(_MEDIA_SUFFIXES)


def _natural(path: str) -> list[str | int]:
    # Every other part is a number, so that equal indices have equal types: "a2b" -> "a", 2, "b".
    parts = re.split(r"(\d+)", path)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)]


def find_clips(
    patterns: Iterable[str | os.PathLike[str]], *, recursive: bool = False
) -> Iterator[str]:
    """Yield the clips that the arguments name, in their order.

    This works like `find_media`, but a folder with two or more images and no video is one clip: the
    folder itself is yielded, whether it is an argument or, with `recursive`, inside one.

    Args:
        patterns: Files, folders and patterns.
        recursive: If True, subfolders are searched.

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
    """Return True if a folder is one clip: it has at least two images and no video."""
    try:
        names = [p.name.lower() for p in Path(path).iterdir() if not p.name.startswith(".")]
    except OSError:
        return False
    images = sum(name.endswith(IMAGE_SUFFIXES) for name in names)
    return images > 1 and not any(name.endswith(VIDEO_SUFFIXES) for name in names)


def frame_files(folder: str | os.PathLike[str]) -> list[str]:
    """Return the images of a folder of frames in numerical order: 2.jpg before 10.jpg."""
    return list(find_media([folder]))
