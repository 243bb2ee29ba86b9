"""Sidecars: a file with the caption beside each image or video."""

import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from captioner.errors import CaptionerError
from captioner.media.files import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from captioner.media.sources import open_footage
from captioner.media.standard_input import PATH
from captioner.metadata.xmp import PROPERTIES, Existing, join_texts, read_texts, write_texts
from captioner.replacing import replacing
from captioner.reports.chapters import ChapterWriter
from captioner.reports.destination import Results, confident, find_error
from captioner.reports.row import encode_row
from captioner.reports.subtitles import SubtitleWriter

_SUFFIXES = frozenset(IMAGE_SUFFIXES + VIDEO_SUFFIXES)


def suffix_of(form: str) -> str:
    """Return the suffix of a form's sidecars, without the first dot.

    Example:
        >>> suffix_of("srt"), suffix_of("chapters")
        ('srt', 'chapters.json')
    """
    return "chapters.json" if form == "chapters" else form


class SidecarNames:
    """Names the sidecar of each image or video.

    "stem" is `a.txt`, which training tools for image models read, and "full" is `a.jpg.txt`. If
    several images or videos of a folder share a stem (`a.jpg`, `a.png`), the first, images before
    videos, uses the stem, and the others use their full names, so that none overwrites another.
    For XMP, "full" is the default, as in darktable and digiKam; an existing `a.xmp`, Lightroom's
    name, is used instead.

    Args:
        form: Form of the sidecars; see `suffix_of`.
        naming: "stem", "full", or None for the default of the form.

    Example:
        >>> SidecarNames("txt").path(Path("data/samples/cat.jpg")).name
        'cat.txt'
        >>> SidecarNames("xmp").path(Path("data/samples/cat.jpg")).name
        'cat.jpg.xmp'
    """

    def __init__(self, form: str, naming: str | None = None) -> None:
        self._form = form
        self._suffix = suffix_of(form)
        self._naming = naming
        self._listed: str | None = None  # the folder of `_twins`
        self._twins: dict[str, list[str]] = {}

    def path(self, media: Path) -> Path:
        """Return the path of a sidecar.

        Args:
            media: Path of the image or video.
        """
        full = self._full(media)
        short = media.with_suffix(f".{self._suffix}")
        if self._naming == "full" or short.name == media.name or media.is_dir():
            return full
        if self._form == "xmp" and self._naming is None and (full.exists() or not short.exists()):
            return full
        return short if self._owns_stem(media) else full

    def is_exception(self, media: Path) -> bool:
        """Return True if a sidecar has a full name only because another file shares its stem."""
        usual = self._naming == "stem" or (self._naming is None and self._form != "xmp")
        return usual and self.path(media) == self._full(media)

    def _full(self, media: Path) -> Path:
        return media.with_name(f"{media.name}.{self._suffix}")

    def _owns_stem(self, media: Path) -> bool:
        folder = os.fspath(media.parent)
        if self._listed != folder:
            self._listed, self._twins = folder, _find_twins(folder)
        twins = self._twins.get(media.stem.casefold(), [media.name])
        return twins[0] == media.name


def _find_twins(folder: str) -> dict[str, list[str]]:
    """Return the images and videos of a folder that share a stem, ignoring case."""
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


FORMS = ("txt", "json", "xmp", "srt", "vtt", "chapters")
_OF_VIDEOS = ("srt", "vtt", "chapters")


class Sidecars:
    r"""Writes a file beside each image or video; see `SidecarNames` for its name.

    `txt` has one caption per line, `json` the same object as a row of JSON Lines, `xmp` the best
    caption as the description and the alternative text, `srt` and `vtt` one cue per shot, and
    `chapters` one chapter per shot, for videos only. No sidecar is written if the caption is
    withheld, or if the file cannot be read to its end.

    Args:
        form: One of `FORMS`.
        naming: The same as for `SidecarNames`.
        existing: Treatment of an existing sidecar, as for `write_texts`; "keep" skips the image. A
            blank file, or an XMP file without a description, counts as missing.

    Example:
        >>> import tempfile
        >>> from captioner.results import Caption
        >>> image = Path(tempfile.mkdtemp(), "dog.jpg")
        >>> sidecars = Sidecars("txt")
        >>> sidecars.write(str(image), [Caption("a dog", ("a", "dog"), -1.0, -0.6)])
        >>> image.with_suffix(".txt").read_text(), sidecars.wants(str(image))
        ('a dog\n', False)
    """

    def __init__(self, form: str, naming: str | None = None, existing: Existing = "keep") -> None:
        self._form = form
        self._names = SidecarNames(form, naming)
        self._existing = existing
        self._skipped = 0
        self._stills = 0
        self._full: list[str] = []  # names that had to be full

    def wants(self, path: str) -> bool:
        """See `Destination`.

        Raises:
            CaptionerError: If the existing sidecar cannot be read.
        """
        if path == PATH:
            return False
        if self._form in _OF_VIDEOS and _is_still(path):
            self._stills += 1
            return False
        target = self._names.path(Path(path))
        if self._existing != "keep" or not target.exists():
            return True
        if self._is_complete(target):
            self._skipped += 1
            return False
        return True

    def write(self, path: str, results: Results) -> None:
        """See `Destination`."""
        if find_error(results) is not None or not confident(results):
            return
        target = self._names.path(Path(path))
        content = self._content(target, Path(path).name, results)
        with replacing(target) as partial:
            partial.write_bytes(content)
        if self._names.is_exception(Path(path)):
            self._full.append(target.name)

    def close(self) -> None:
        """Do nothing; see `Destination`."""

    def summary(self) -> Iterator[str]:
        """See `Destination`."""
        if self._skipped:
            yield f"Skipped (already have a .{suffix_of(self._form)} file): {self._skipped}"
        if self._stills:
            what = "chapters" if self._form == "chapters" else "subtitles"
            yield f"Skipped (images, which have no {what}): {self._stills}"
        if self._full:
            yield (
                f"Given full names, because another file has the same stem: {self._full[0]}"
                + (f" and {len(self._full) - 1} more" if len(self._full) > 1 else "")
            )

    def _is_complete(self, target: Path) -> bool:
        content = _read(target)
        if self._form != "xmp":
            return bool(content.strip())
        try:
            return bool(content.strip()) and len(read_texts(content)) == len(PROPERTIES)
        except CaptionerError as error:
            raise CaptionerError(f"{target}: {error}") from error

    def _content(self, target: Path, name: str, results: Results) -> bytes:
        captions = confident(results)
        old = _read(target) if target.exists() else b""
        if self._form == "json":
            return encode_row(name, *results) + b"\n"
        if self._form in _OF_VIDEOS:
            return _written(self._form, name, results)
        if self._form == "xmp":
            whole = [caption for caption in captions if caption.span is None]
            text = _join_sentences(caption.text for caption in whole or captions)
            try:
                return write_texts(old, text, self._existing)
            except CaptionerError as error:
                raise CaptionerError(f"{target}: {error}") from error
        said = [text for best in captions for text in (best, *best.alternatives)]
        text = "\n".join(caption.text for caption in said)
        # Files of other programs may have other encodings; their bytes stay unchanged.
        before = old.decode("utf-8", "surrogateescape")
        return (join_texts(before, text, self._existing) + "\n").encode("utf-8", "surrogateescape")


def _is_still(path: str) -> bool:
    """Return True for an image; False for an unreadable file, whose reader reports the reason."""
    try:
        footage = open_footage(path, None)
    except CaptionerError:
        return False
    if footage is not None:
        footage.close()
    return footage is None and Path(path).is_file()


def _written(form: str, name: str, results: Results) -> bytes:
    stream = io.BytesIO()
    writer = ChapterWriter(stream) if form == "chapters" else SubtitleWriter(stream, form)
    for number, result in enumerate(results, start=1):
        writer.write(name, result, number == len(results))
    writer.close()
    return stream.getvalue()


def _join_sentences(texts: Iterable[str]) -> str:
    """Join the texts of several shots, each distinct text once."""
    unique = list(dict.fromkeys(texts))
    return (" " if all(text.endswith(".") for text in unique) else "; ").join(unique)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise CaptionerError(
            f"cannot read {path} ({reason}): delete it, or make it readable"
        ) from error
