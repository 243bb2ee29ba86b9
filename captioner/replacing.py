"""Files and folders written as a whole or not at all."""

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from captioner.errors import CaptionerError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give the name of a file to write, which takes the place of another one at the end.

    A kill at any moment leaves the old file or the new one; an exception leaves the old one.

    Args:
        path: The file to replace, or to make; its folder exists.

    Yields:
        A name of its own beside it, with the same suffix.

    Raises:
        CaptionerError: The file cannot be written.

    Example:
        >>> import tempfile
        >>> report = Path(tempfile.mkdtemp()) / "report.txt"
        >>> with replacing(report) as partial:
        ...     _ = partial.write_text("done")
        >>> report.read_text()
        'done'
    """
    path = Path(path)
    partial = path.with_name(f".{path.stem}.{os.getpid()}-{secrets.token_hex(4)}{path.suffix}")
    try:
        yield partial
        _flush(partial)
        if path.exists():
            shutil.copymode(path, partial)
        partial.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder to fill, which takes the place of another one at the end.

    The new folder is made beside the old one. Everything in it is on the disk before the old one
    moves aside by renaming, and only then is the old one deleted. After a kill between the two
    renamings the old one is put back by the next call; after any other kill one of the two is in
    place. An exception leaves the old folder as it was.

    Args:
        folder: The folder to replace; whether it may be is for the caller to know.

    Yields:
        The folder to fill.

    Raises:
        CaptionerError: The folder cannot be written.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100  (resolve would follow a symlink)
    name = f".{folder.name}.{os.getpid()}-{secrets.token_hex(4)}"
    partial, old = folder.with_name(f"{name}.part"), folder.with_name(f"{name}.old")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        restore_folder(folder)
        partial.mkdir()
        yield partial
        for path in (*partial.rglob("*"), partial):
            _flush(path)
        if folder.exists():
            folder.rename(old)
        partial.rename(folder)
        _flush(folder.parent)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        if old.exists() and not folder.exists():
            old.rename(folder)
        if isinstance(error, OSError):
            raise _unwritable(folder, error) from error
        raise
    shutil.rmtree(old, ignore_errors=True)


def restore_folder(folder: Path) -> None:
    """Put back a folder that a kill left aside, and delete what killed processes left half made.

    Only names that `replacing_folder` gives are looked at, and only those of processes that are
    gone.

    Args:
        folder: As `replacing_folder` takes it.
    """
    folder = Path(folder)
    pattern = re.compile(rf"\.{re.escape(folder.name)}\.(\d+)-[0-9a-f]{{8}}\.(part|old)")
    try:
        neighbours = sorted(folder.parent.iterdir())
    except OSError:  # no folder, or one that may not be listed
        return
    for path in neighbours:
        match = pattern.fullmatch(path.name)
        if match is None or _is_running(int(match[1])):
            continue
        if match[2] == "old" and not folder.exists():
            path.rename(folder)
        else:
            shutil.rmtree(path, ignore_errors=True)


def _is_running(process: int) -> bool:
    if process == os.getpid():
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _unwritable(path: Path, error: OSError) -> CaptionerError:
    return CaptionerError(
        f"cannot write {path} ({error.strerror or error}): choose a folder that exists and may "
        "be written to, and that has room"
    )


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # Windows opens no folders, and needs no flush of them
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # some file systems of networks cannot
    finally:
        os.close(descriptor)
