"""The tables of a library, an SQLite file, and the facts that it stores about each file."""

import os
import re
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import av
from PIL import ExifTags, Image

from captioner.errors import CaptionerError
from captioner.media.containers import open_container
from captioner.media.raw import is_raw, open_raw

_HEAD = 32  # bytes needed to recognize RAW files
_DATE = re.compile(r"(\d{4}):(\d\d):(\d\d)[ T](\d\d:\d\d:\d\d)")


@dataclass(frozen=True)
class Facts:
    """Facts about an image or a video; None for a fact that the file does not state.

    Attributes:
        width: Width in pixels, upright.
        height: Height in pixels, upright.
        taken: Date and time of a photograph, as "2024-05-17 12:30:00", in the camera's time zone.
    """

    width: int | None = None
    height: int | None = None
    taken: str | None = None


def read_facts(path: Path) -> Facts:
    """Read facts from a file's headers; an unreadable file has none, and raises no error.

    Example:
        >>> facts = read_facts(Path("data/samples/cat.jpg"))
        >>> facts.width, facts.height
        (451, 300)
    """
    try:
        with _open(path) as image:
            width, height = image.size
            if image.getexif().get(ExifTags.Base.Orientation, 1) >= 5:
                width, height = height, width
            return Facts(width, height, _taken(image) or _taken_by_camera(path))
    except Exception:  # Pillow's parsers raise nearly anything, also on videos.
        pass
    try:
        container, stream = open_container(str(path))
        with container:
            return Facts(stream.width, stream.height)
    except (CaptionerError, av.FFmpegError, OSError):
        return Facts()


def _open(path: Path) -> Image.Image:
    """Open an image; for a RAW file, its preview instead of the thumbnail that Pillow finds."""
    with path.open("rb") as file:
        if not is_raw(path.name, file.read(_HEAD)):
            return Image.open(path)
        return open_raw(file, path.name)


def _taken(image: Image.Image) -> str | None:
    """Return the date and time of a photograph from its EXIF data."""
    exif = image.getexif()
    details = exif.get_ifd(ExifTags.IFD.Exif)
    date = details.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    found = _DATE.match(str(date or ""))
    return None if found is None else "{}-{}-{} {}".format(*found.groups())


def _taken_by_camera(path: Path) -> str | None:
    """Return the date of a RAW file, whose preview may have none itself."""
    with suppress(Exception), Image.open(path) as image:
        return _taken(image)
    return None


_VERSION = 1
_ID = 0x43415054  # "CAPT", SQLite's application ID of the file

# `text` is the text that is searched and shown: a person's correction replaces the model's caption.
_TABLES = """
CREATE TABLE files (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,      -- relative to the library's folder if it is below it
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,          -- bytes
    mtime_ns INTEGER NOT NULL,
    width INTEGER,                  -- pixels, upright
    height INTEGER,
    taken TEXT,                     -- EXIF DateTimeOriginal, as 2024-05-17 12:30:00
    model TEXT NOT NULL,
    described TEXT NOT NULL,        -- UTC
    removed TEXT                    -- UTC; when the file was found to be missing
);
CREATE INDEX files_sha256 ON files (sha256);
CREATE TABLE captions (
    id INTEGER PRIMARY KEY,
    file INTEGER NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    start REAL,                     -- of a video's shot, in seconds
    "end" REAL,
    caption TEXT NOT NULL,          -- the model's
    confidence REAL,
    log_prob REAL NOT NULL,
    corrected TEXT,                 -- a person's
    text TEXT GENERATED ALWAYS AS (coalesce(corrected, caption)) VIRTUAL
);
CREATE INDEX captions_file ON captions (file);
CREATE VIRTUAL TABLE captions_fts USING FTS5 (  -- in the form that Datasette recognizes
    text, content="captions", content_rowid='id', tokenize='porter unicode61'
);
CREATE TRIGGER captions_ai AFTER INSERT ON captions BEGIN
    INSERT INTO captions_fts (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER captions_ad AFTER DELETE ON captions BEGIN
    INSERT INTO captions_fts (captions_fts, rowid, text) VALUES ('delete', old.id, old.text);
END;
CREATE TRIGGER captions_au AFTER UPDATE ON captions BEGIN
    INSERT INTO captions_fts (captions_fts, rowid, text) VALUES ('delete', old.id, old.text);
    INSERT INTO captions_fts (rowid, text) VALUES (new.id, new.text);
END;
CREATE VIEW library AS
    SELECT path, start, "end", text, caption, corrected, confidence, model, taken, width, height,
        size, sha256, described, removed
    FROM captions JOIN files ON files.id = captions.file ORDER BY path, start;
"""


def connect(path: Path, *, create: bool) -> sqlite3.Connection:
    """Open a library.

    Args:
        path: Path of its file.
        create: If True, a missing library is created.

    Raises:
        CaptionerError: If the file is missing, is not a library, is from a later version, or
            cannot be opened.

    Example:
        >>> import tempfile
        >>> connection = connect(Path(tempfile.mkdtemp(), "photos.db"), create=True)
        >>> connection.execute("SELECT count(*) FROM files").fetchone()[0]
        0
    """
    if not create and not path.is_file():
        raise CaptionerError(
            f"cannot read {path} (no such file): create it with `caption FOLDER --library {path}`"
        )
    read_only = not create and not os.access(path.resolve().parent, os.W_OK)
    try:
        place = _read_only(path) if read_only else path
        connection = sqlite3.connect(place, timeout=30, isolation_level=None, uri=read_only)
    except sqlite3.Error as error:
        raise _failed(path, error) from error
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        _prepare(connection, path, read_only)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error):
            raise _failed(path, error) from error
        raise
    return connection


def _read_only(path: Path) -> str:
    """Return the URI of a library in a folder where SQLite cannot create files beside it."""
    # Without a write-ahead log beside it, the file is complete.
    waiting = path.with_name(f"{path.name}-wal").exists()
    return f"{path.resolve().as_uri()}?mode=ro{'' if waiting else '&immutable=1'}"


def _prepare(connection: sqlite3.Connection, path: Path, read_only: bool) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not tables:
        # A transaction, so that a killed run leaves all tables or none.
        connection.executescript(
            f"BEGIN IMMEDIATE; {_TABLES} PRAGMA application_id = {_ID}; "
            f"PRAGMA user_version = {_VERSION}; COMMIT;"
        )
    elif owner != _ID:
        raise CaptionerError(f"{path} is a database of another program: name another file")
    elif version > _VERSION:
        raise CaptionerError(f"{path} is from a later version of captioner: install that version")
    if read_only:
        return
    # Readers and a writer do not block each other, and a killed run loses no committed row.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _failed(path: Path, error: sqlite3.Error) -> CaptionerError:
    if isinstance(error, sqlite3.OperationalError) and "unable to open" in str(error):
        return CaptionerError(f"cannot open {path}: choose an existing, writable folder")
    if isinstance(error, sqlite3.DatabaseError) and "not a database" in str(error):
        return CaptionerError(f"{path} is not a library of captions: name another file")
    if "no such module" in str(error):
        return CaptionerError(
            f"cannot open {path}: this Python's SQLite has no full-text search (FTS5): if "
            "TensorFlow was imported first, import captioner before it"
        )
    return CaptionerError(f"cannot use the library {path} ({error}): check the file and the disk")
