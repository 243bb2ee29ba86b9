"""Matching of image ids that are written differently: with a folder, or without a suffix."""

from collections.abc import Collection
from pathlib import PurePosixPath

from captioner.media.files import is_media


def match_ids(image_ids: Collection[str], known_ids: Collection[str]) -> dict[str, str]:
    """Find the known image that each id names.

    Equal ids match. Other ids match if they differ only in leading folders, or in a missing suffix
    of an image or video, or in both, and if the match is unique: "photos/dog.jpg", "./dog.jpg",
    "dog.jpg" and "dog" are the same image, but "dog.jpg" and "dog.png" are two.

    Args:
        image_ids: Ids to match.
        known_ids: Ids of the known images.

    Returns:
        The matching known id of each id that has one, in the order of `image_ids`.

    Example:
        >>> match_ids(["photos/dog.jpg", "cat", "cow.jpg"], ["dog.jpg", "cat.png", "cow.png"])
        {'photos/dog.jpg': 'dog.jpg', 'cat': 'cat.png'}
    """
    known = set(known_ids)
    found = {image: image for image in image_ids if image in known}
    open_ids = [image for image in image_ids if image not in known]
    by_stem: dict[str, list[tuple[str, tuple[str, ...], str]]] = {}
    for name in known - found.keys() if open_ids else ():
        folders, stem, suffix = _parts(name)
        by_stem.setdefault(stem, []).append((name, folders, suffix))
    meant: dict[str, list[str]] = {}  # for each known id, the ids that may match it
    for image in open_ids:
        folders, stem, suffix = _parts(image)
        fitting = [
            name
            for name, others, ending in by_stem.get(stem, ())
            if (not suffix or not ending or suffix == ending) and _one_ends_other(folders, others)
        ]
        for name in fitting:
            # An id that fits several is entered more than once, so that none of them matches.
            meant.setdefault(name, []).extend([image] * len(fitting))
    found |= {images[0]: name for name, images in meant.items() if len(images) == 1}
    return {image: found[image] for image in image_ids if image in found}


def _parts(image: str) -> tuple[tuple[str, ...], str, str]:
    """Return folders, name without suffix, and lower-case suffix ("" if it is not of media)."""
    path = PurePosixPath(image.strip().replace("\\", "/"))
    folders = tuple(part for part in path.parts[:-1] if part not in ("/", "..", "."))
    if is_media(path.name):
        return folders, path.stem, path.suffix.lower()
    return folders, path.name, ""


def _one_ends_other(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    shared = min(len(one), len(other))
    return not shared or one[-shared:] == other[-shared:]
