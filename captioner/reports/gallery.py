"""Captions as an HTML page: thumbnails with their captions, in one searchable file."""

import base64
import html
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import IO
from urllib.parse import quote

from captioner.errors import CaptionerError
from captioner.media.standard_input import PATH
from captioner.replacing import replacing
from captioner.reports.destination import Results, confident
from captioner.reports.small_image import small_image
from captioner.reports.text import format_time

_SHORTER_SIDE = 200  # pixels of a thumbnail's shorter side


class Gallery:
    """Writes a self-contained HTML page, which needs no other file and no network.

    Each image has its caption as its alternative text, and a link to the file itself.

    Args:
        stream: Open text stream of the page.
        folder: Folder of the page, which links are relative to.
        title: Heading of the page.
    """

    def __init__(self, stream: IO[str], folder: Path, title: str) -> None:
        self._stream = stream
        self._folder = folder
        page = Template((files("captioner.reports") / "gallery.html").read_text(encoding="utf-8"))
        whole = page.substitute(title=html.escape(title), items="\0")
        start, self._end = whole.split("\0")
        self._stream.write(start)

    def add(self, path: Path, texts: Sequence[str], note: str = "") -> None:
        """Add an image or a video.

        Args:
            path: Path of the file.
            texts: Captions of the file, one per paragraph.
            note: Additional facts, such as a date.
        """
        image = _small_image(path)
        link = quote(
            os.fsencode(os.path.relpath(path, self._folder)).replace(os.sep.encode(), b"/")
        )
        name = os.fsencode(path.name).decode("utf-8", "replace")
        paragraphs = "".join(f"<p>{html.escape(text)}</p>" for text in texts)
        alt = html.escape(" ".join(texts))
        image = f'<img loading="lazy" src="{image}" alt="{alt}">' if image else ""
        facts = f" · {html.escape(note)}" if note else ""
        self._stream.write(
            f"<li><figure>{image}<figcaption>{paragraphs}"
            f'<small><a href="{html.escape(link)}">{html.escape(name)}</a>{facts}</small>'
            "</figcaption></figure></li>\n"
        )

    def wants(self, path: str) -> bool:
        """See `Destination`."""
        return path != PATH

    def write(self, path: str, results: Results) -> None:
        """See `Destination`."""
        captions = confident(results)
        if captions:
            texts = [caption.text for caption in captions]
            if len(captions) > 1:
                spans = [caption.span or (0.0, 0.0) for caption in captions]
                texts = [
                    f"{format_time(start)} {text}"
                    for (start, _), text in zip(spans, texts, strict=True)
                ]
            self.add(Path(path), texts)

    def close(self) -> None:
        """Write the end of the page; see `Destination`."""
        self._stream.write(self._end)

    def summary(self) -> Iterator[str]:
        """Yield nothing, because no file is skipped; see `Destination`."""
        yield from ()


@contextmanager
def open_gallery(path: Path, title: str = "Captions") -> Iterator[Gallery]:
    """Open a page for the duration of a `with` block; the complete file appears when it ends.

    Args:
        path: Path of the page.
        title: Heading of the page.

    Raises:
        CaptionerError: If the page cannot be written.
    """
    with (
        replacing(path) as partial,
        partial.open("w", encoding="utf-8", errors="xmlcharrefreplace") as stream,
    ):
        yield Gallery(stream, path.resolve().parent, title)


def _small_image(path: Path) -> str:
    """Return an image or a video's first frame as a data URL; empty if it cannot be read."""
    try:
        image = small_image(path, _SHORTER_SIDE)
    except CaptionerError:
        return ""
    return f"data:image/jpeg;base64,{base64.b64encode(image).decode()}"
