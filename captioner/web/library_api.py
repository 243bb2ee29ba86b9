"""The library over HTTP: search, small images, corrections."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from captioner.errors import CaptionerError
from captioner.library.collection import Library
from captioner.library.query import search
from captioner.reports.row import CONFIDENCE_DECIMALS, SECONDS_DECIMALS
from captioner.reports.small_image import small_image

MOST_ROWS = 1000
MOST_WORDS = 2000  # characters of a correction
_SIDE = 360  # pixels of the shorter side of a small image
_SHOWN = ("path", "start", "end", "text", "caption", "corrected", "confidence", "model", "taken")


class ChangedError(CaptionerError):
    """The library has changed since its rows were asked for."""


class LibraryAPI:
    """What the page asks of a library.

    It is opened for each request, as an SQLite connection belongs to one thread.

    Args:
        path: Of the library.

    Raises:
        CaptionerError: It cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with Library(path):
            pass

    def find(self, query: str, limit: int) -> dict[str, Any]:
        """Find captions, the best first.

        Args:
            query: As `captioner.library.query.search` takes it.
            limit: Most rows.

        Returns:
            `rows`, each with an `id` for `image` and `correct`; and whether there are `more`.
        """
        with Library(self._path) as library:
            found = search(library, query, limit + 1)
            ids = _ids(library, found)
        rows = [_fields(row, ids[row["path"], row["start"]]) for row in found[:limit]]
        return {"rows": rows, "more": len(found) > limit}

    def image(self, number: int) -> bytes | None:
        """Draw the image or shot of a row small, as JPEG; None if the library has no such row.

        Raises:
            CaptionerError: The file cannot be read.
        """
        with Library(self._path) as library:
            row = _row(library, number)
            place = None if row is None else library.locate(row["path"])
        if row is None or place is None:
            return None
        start, end = row["start"] or 0.0, row["end"] or 0.0
        try:
            return small_image(place, _SIDE, at=(start + end) / 2)
        except CaptionerError as error:
            # Where the library is on the disk is not for those who ask.
            raise CaptionerError(str(error).replace(str(place), row["path"])) from error

    def correct(self, number: int, path: str, text: str | None) -> dict[str, Any] | None:
        """Put a person's words in place of the model's.

        Args:
            number: Of the row.
            path: That the row had, since numbers are given anew when files are described again.
            text: The right caption; None takes a correction back.

        Returns:
            The row as it is now; None if the library has no such row.

        Raises:
            ChangedError: The row is another file's by now.
            CaptionerError: The text is empty or far too long.
        """
        if text is not None and len(text) > MOST_WORDS:
            raise CaptionerError(f"over {MOST_WORDS} characters: write a shorter caption")
        with Library(self._path) as library:
            row = _row(library, number)
            if row is None:
                return None
            if row["path"] != path:
                raise ChangedError("the library has changed: search again")
            library.correct(str(library.locate(path)), text, row["start"])
            row = _row(library, number)
        return None if row is None else _fields(row, number)


def _row(library: Library, number: int) -> sqlite3.Row | None:
    rows = library.execute(
        'SELECT path, start, "end", text, caption, corrected, confidence, model, taken, sha256 '
        "FROM captions JOIN files ON files.id = file WHERE captions.id = ? AND removed IS NULL",
        [number],
    )
    return rows[0] if rows else None


def _ids(library: Library, rows: Sequence[sqlite3.Row]) -> dict[tuple[str, float | None], int]:
    paths = sorted({row["path"] for row in rows})
    marks = ", ".join("?" * len(paths))
    found = library.execute(
        "SELECT captions.id, path, start FROM captions JOIN files ON files.id = file "
        f"WHERE path IN ({marks})",
        paths,
    )
    return {(row["path"], row["start"]): row["id"] for row in found}


def _fields(row: sqlite3.Row, number: int) -> dict[str, Any]:
    fields = {name: row[name] for name in _SHOWN if row[name] is not None}
    decimals = {"confidence": CONFIDENCE_DECIMALS}
    for name in ("confidence", "start", "end"):
        if name in fields:
            fields[name] = round(fields[name], decimals.get(name, SECONDS_DECIMALS))
    # The address changes with the content, so that browsers may keep the image.
    image = f"/api/library/{number}/image?content={row['sha256'][:16]}"
    return {"id": number, **fields, "image": image}
