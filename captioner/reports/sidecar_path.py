"""The names of sidecars: a file beside each picture that belongs to it."""

import os
from pathlib import Path

from captioner.media.files import IMAGE_SUFFIXES, VIDEO_SUFFIXES

NAMINGS = ("stem", "full")
_SUFFIXES = frozenset(IMAGE_SUFFIXES + VIDEO_SUFFIXES)


class SidecarNames:
    """Names the sidecar of each picture or clip.

    "stem" is `a.txt`, which trainers of image models read, and "full" `a.jpg.txt`. Where several
    pictures or clips of a folder have one stem (`a.jpg`, `a.png`), the first, pictures before
    clips, has the stem, and the others their full names, so that none takes the place of another.
    Of XMP "full" is the default, as darktable and digiKam do; `a.xmp`, Lightroom's, is taken where
    it is there.

    Args:
        form: Suffix of the sidecars, without its point.
        naming: "stem", "full", or None for the default of the form.

    Example:
        >>> SidecarNames("txt").path(Path("data/samples/cat.jpg")).name
        'cat.txt'
        >>> SidecarNames("xmp").path(Path("data/samples/cat.jpg")).name
        'cat.jpg.xmp'
    """

    def __init__(self, form: str, naming: str | None = None) -> None:
        self._form = form
        self._naming = naming
        self._listed: str | None = None  # the folder that `_twins` are of
        self._twins: dict[str, list[str]] = {}

    def path(self, media: Path) -> Path:
        """Return the path of a sidecar.

        Args:
            media: The picture or clip.
        """
        full = self._full(media)
        short = media.with_suffix(f".{self._form}")
        if self._naming == "full" or short.name == media.name or media.is_dir():
            return full
        if self._form == "xmp" and self._naming is None and (full.exists() or not short.exists()):
            return full
        return short if self._owns_stem(media) else full

    def is_exception(self, media: Path) -> bool:
        """Whether a sidecar has a full name only because another file has the same stem."""
        usual = self._naming == "stem" or (self._naming is None and self._form != "xmp")
        return usual and self.path(media) == self._full(media)

    def _full(self, media: Path) -> Path:
        return media.with_name(f"{media.name}.{self._form}")

    def _owns_stem(self, media: Path) -> bool:
        folder = os.fspath(media.parent)
        if self._listed != folder:
            self._listed, self._twins = folder, _find_twins(folder)
        twins = self._twins.get(media.stem.casefold(), [media.name])
        return twins[0] == media.name


def _find_twins(folder: str) -> dict[str, list[str]]:
    """Return the images and clips of a folder that share a stem, whatever its capitals."""
    found: dict[str, list[str]] = {}
    try:
        names = os.listdir(folder)  # noqa: PTH208
    except OSError:
        return {}
    for name in names:
        stem, suffix = os.path.splitext(name)  # noqa: PTH122
        if suffix.lower() in _SUFFIXES:
            found.setdefault(stem.casefold(), []).append(name)
    return {stem: sorted(twins, key=_rank) for stem, twins in found.items() if len(twins) > 1}


def _rank(name: str) -> tuple[bool, str]:
    return name.lower().endswith(VIDEO_SUFFIXES), name
