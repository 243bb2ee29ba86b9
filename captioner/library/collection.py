"""A library of captions: what was said about each file, and what people have corrected."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from captioner.errors import CaptionerError
from captioner.fingerprint import Fingerprint
from captioner.library.schema import connect, read_facts

if TYPE_CHECKING:
    from captioner.results import Caption


class Library:
    """Captions of files in an SQLite file; see `captioner.library.schema` for its tables.

    A file is known by its content: one that was moved or renamed keeps its captions, and a copy
    gets them, too.

    Args:
        path: Of the SQLite file.
        create: Whether it is made where there is none.

    Raises:
        CaptionerError: It cannot be opened.

    Example:
        >>> import tempfile
        >>> from captioner.results import Caption
        >>> from captioner.fingerprint import take_fingerprint
        >>> cat = "data/samples/cat.jpg"
        >>> with Library(Path(tempfile.mkdtemp(), "photos.db"), create=True) as library:
        ...     said = [Caption("a dog", ("a", "dog"), -1.0, -0.6)]
        ...     library.put(cat, take_fingerprint(cat), said, "tiny")
        ...     library.correct(cat, "our cat")
        ...     [row["text"] for row in library.rows()]
        ['our cat']
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self._folder = path.resolve().parent
        self._rows = connect(path, create=create)

    def __enter__(self) -> "Library":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._rows.close()

    def find(self, path: str) -> Fingerprint | None:
        """Return the content that the captions of a path are about; None if there are none."""
        row = self._rows.execute("SELECT * FROM files WHERE path = ?", [self._name(path)])
        return _fingerprint(row.fetchone())

    def adopt(self, path: str, content: Fingerprint) -> str | None:
        """Give a path the captions of a file of the same content.

        Args:
            path: Not in the library, or with other content.
            content: What it has now.

        Returns:
            "moved" where that file is gone, "copied" where it is still there, "touched" where it is
            this one; None where no file has this content.
        """
        name = self._name(path)
        with self._changing():
            same = self._rows.execute(
                "SELECT * FROM files WHERE sha256 = ? ORDER BY path != ?, id",
                [content.sha256, name],
            ).fetchall()
            if not same:
                return None
            if same[0]["path"] == name:
                self._refresh(same[0]["id"], name, content)
                return "touched"
            gone = next((row for row in same if not self.locate(row["path"]).exists()), None)
            corrections = self._corrections(name)
            self._rows.execute("DELETE FROM files WHERE path = ?", [name])
            if gone is not None:
                self._refresh(gone["id"], name, content)
                self._restore(gone["id"], corrections)
                return "moved"
            self._copy(same[0]["id"], name, content)
            return "copied"

    def put(
        self, path: str, content: Fingerprint, captions: Sequence["Caption"], model: str
    ) -> None:
        """Keep what was said about a file; what people have corrected stays.

        Args:
            path: Of the file.
            content: What it had when it was read.
            captions: Of the picture, or of each shot of the clip.
            model: Which said it.
        """
        name = self._name(path)
        facts = read_facts(Path(path))
        with self._changing():
            corrections = self._corrections(name)
            self._rows.execute("DELETE FROM files WHERE path = ?", [name])
            row = self._rows.execute(
                "INSERT INTO files (path, sha256, size, mtime_ns, width, height, taken, model, "
                "described) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    *(name, content.sha256, content.size, content.mtime_ns),
                    *(facts.width, facts.height, facts.taken, model, _now()),
                ],
            )
            for caption in captions:
                start, end = caption.span or (None, None)
                self._rows.execute(
                    'INSERT INTO captions (file, start, "end", caption, confidence, log_prob) '
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    [row.lastrowid, start, end, caption.text, caption.confidence, caption.log_prob],
                )
            self._restore(row.lastrowid, corrections)

    def correct(self, path: str, text: str | None, at: float | None = None) -> None:
        """Keep a person's words in place of the model's.

        Args:
            path: Of a file in the library.
            text: The right caption; None takes a correction back.
            at: Second of a clip, which chooses the shot; needed where it has several.

        Raises:
            CaptionerError: The library has no such file or shot.
        """
        if text is not None and not text.strip():
            raise CaptionerError("an empty caption is no correction: give some words")
        with self._changing():
            rows = self._rows.execute(
                'SELECT captions.id, start, "end" FROM captions JOIN files ON files.id = file '
                "WHERE path = ? ORDER BY start",
                [self._name(path)],
            ).fetchall()
            if not rows:
                raise CaptionerError(
                    f"{self.path} has no captions of {path}: check the path, or run "
                    f"`caption {path} --library {self.path}` first"
                )
            if at is not None:
                rows = [row for row in rows if row["start"] is None or _holds(row, at)]
            if len(rows) != 1:
                what = "no shot at that time" if not rows else f"{len(rows)} shots"
                raise CaptionerError(f"{path} has {what}: choose one by --at SECONDS")
            words = None if text is None else " ".join(text.split())
            self._rows.execute(
                "UPDATE captions SET corrected = ? WHERE id = ?", [words, rows[0]["id"]]
            )

    def mark_removed(self, folders: Sequence[str]) -> int:
        """Mark the files of some folders that are gone; they keep their captions.

        Args:
            folders: Those that a run has looked through; one that is not there itself, such as a
                disk that is not plugged in, is left alone.

        Returns:
            How many files were there at the last run, and are gone.
        """
        roots = tuple(
            f"{Path(folder).resolve()}{os.sep}" for folder in folders if Path(folder).is_dir()
        )
        rows = self._rows.execute("SELECT id, path, removed FROM files").fetchall()
        changes: list[tuple[str | None, int]] = []
        for row in rows:
            place = self.locate(row["path"])
            if str(place).startswith(roots) and place.exists() == (row["removed"] is not None):
                changes.append((None if row["removed"] else _now(), row["id"]))
        with self._changing():
            self._rows.executemany("UPDATE files SET removed = ? WHERE id = ?", changes)
        return sum(removed is not None for removed, _ in changes)

    def rows(self, where: str = "1", parameters: Sequence[object] = ()) -> Iterator[sqlite3.Row]:
        """Yield rows of the view `library`, by path and start.

        Args:
            where: A condition in SQL, on the columns of the view.
            parameters: Of it.
        """
        yield from self._rows.execute(f"SELECT * FROM library WHERE {where}", parameters)

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> list[sqlite3.Row]:
        """Run a query of another module of this package."""
        return self._rows.execute(sql, parameters).fetchall()

    def locate(self, name: str) -> Path:
        """Return where a file is that the library names."""
        return self._folder / name

    def _name(self, path: str) -> str:
        """Return a file's path from the library's folder if it is below, or else its whole path."""
        # Links in a path are followed up to the file itself, which may be one of its own.
        absolute = Path(path).parent.resolve() / Path(path).name
        if absolute.is_relative_to(self._folder):
            absolute = absolute.relative_to(self._folder)
        return os.fspath(absolute).encode("utf-8", "backslashreplace").decode()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """All changes of a `with` block, or none."""
        try:
            self._rows.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._rows.execute("COMMIT")
            except BaseException:
                self._rows.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise CaptionerError(
                f"cannot write {self.path} ({error}): close other programs that have it open, and "
                "check the space on the disk"
            ) from error

    def _refresh(self, file: int, name: str, content: Fingerprint) -> None:
        self._rows.execute(
            "UPDATE files SET path = ?, size = ?, mtime_ns = ?, removed = NULL WHERE id = ?",
            [name, content.size, content.mtime_ns, file],
        )

    def _copy(self, file: int, name: str, content: Fingerprint) -> None:
        row = self._rows.execute(
            "INSERT INTO files (path, sha256, size, mtime_ns, width, height, taken, model, "
            "described) SELECT ?, sha256, size, ?, width, height, taken, model, described "
            "FROM files WHERE id = ?",
            [name, content.mtime_ns, file],
        )
        self._rows.execute(
            'INSERT INTO captions (file, start, "end", caption, confidence, log_prob, corrected) '
            'SELECT ?, start, "end", caption, confidence, log_prob, corrected FROM captions '
            "WHERE file = ? ORDER BY id",
            [row.lastrowid, file],
        )

    def _corrections(self, name: str) -> list[sqlite3.Row]:
        return self._rows.execute(
            'SELECT corrected, start, "end" FROM library WHERE path = ? AND corrected IS NOT NULL',
            [name],
        ).fetchall()

    def _restore(self, file: int | None, corrections: list[sqlite3.Row]) -> None:
        """Give corrections to the captions that they overlap with most."""
        shots = self._rows.execute(
            'SELECT id, start, "end" FROM captions WHERE file = ? ORDER BY id', [file]
        ).fetchall()
        for correction in corrections:
            best = max(shots, key=lambda shot: _overlap(shot, correction), default=None)
            if best is not None:
                self._rows.execute(
                    "UPDATE captions SET corrected = ? WHERE id = ?",
                    [correction["corrected"], best["id"]],
                )


def _fingerprint(row: sqlite3.Row | None) -> Fingerprint | None:
    return None if row is None else Fingerprint(row["size"], row["mtime_ns"], row["sha256"])


def _holds(row: sqlite3.Row, at: float) -> bool:
    return bool(row["start"] <= at < row["end"])


def _overlap(one: sqlite3.Row, other: sqlite3.Row) -> float:
    if one["start"] is None or other["start"] is None:
        return 0.0
    return float(min(one["end"], other["end"]) - max(one["start"], other["start"]))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
