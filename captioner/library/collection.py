"""A library of captions: the model's captions of each file, and people's corrections."""

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

    A file is identified by its content: a moved or renamed file keeps its captions, and a copy
    gets them, too.

    Args:
        path: Path of the SQLite file.
        create: If True, a missing library is created.

    Raises:
        CaptionerError: If it cannot be opened.

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
        """Return the fingerprint of the content that a path's captions describe, or None."""
        row = self._rows.execute("SELECT * FROM files WHERE path = ?", [self._name(path)])
        return _fingerprint(row.fetchone())

    def adopt(self, path: str, content: Fingerprint) -> str | None:
        """Assign the captions of a file with the same content to a path.

        Args:
            path: Path that is not in the library, or there with other content.
            content: Fingerprint of its current content.

        Returns:
            "moved" if that file no longer exists, "copied" if it still exists, "touched" if it is
            this file itself; None if no file has this content.
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
        """Store the captions of a file; people's corrections are kept.

        Args:
            path: Path of the file.
            content: Fingerprint of its content when it was read.
            captions: Caption of the image, or of each shot of the video.
            model: Name of the model that generated them.
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
        """Replace the model's caption by a person's.

        Args:
            path: Path of a file in the library.
            text: Correct caption; None removes a correction.
            at: Time in a video, in seconds, to choose the shot; required if it has several.

        Raises:
            CaptionerError: If the library has no such file or shot.
        """
        if text is not None and not text.strip():
            raise CaptionerError("a correction cannot be empty: give some words")
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
                raise CaptionerError(f"{path} has {what}: choose one with --at SECONDS")
            words = None if text is None else " ".join(text.split())
            self._rows.execute(
                "UPDATE captions SET corrected = ? WHERE id = ?", [words, rows[0]["id"]]
            )

    def mark_removed(self, folders: Sequence[str]) -> int:
        """Mark the missing files of some folders; they keep their captions.

        Args:
            folders: Folders that a run has searched; a folder that is itself missing, such as an
                unplugged disk, is ignored.

        Returns:
            Number of files that existed at the last run and are now missing.
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
        """Yield rows of the view `library`, ordered by path and start.

        Args:
            where: SQL condition on the columns of the view.
            parameters: Parameters of the condition.
        """
        yield from self._rows.execute(f"SELECT * FROM library WHERE {where}", parameters)

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> list[sqlite3.Row]:
        """Run a query for another module of this package."""
        return self._rows.execute(sql, parameters).fetchall()

    def locate(self, name: str) -> Path:
        """Return the path of a file that the library names."""
        return self._folder / name

    def _name(self, path: str) -> str:
        """Return a path relative to the library's folder if it is below it, else absolute."""
        # Links in the folders of a path are resolved, but not the file itself if it is a link.
        absolute = Path(path).parent.resolve() / Path(path).name
        if absolute.is_relative_to(self._folder):
            absolute = absolute.relative_to(self._folder)
        return os.fspath(absolute).encode("utf-8", "backslashreplace").decode()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Apply all changes of a `with` block, or none."""
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
                "check the disk space"
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
        """Assign each correction to the caption whose shot overlaps most with it."""
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
