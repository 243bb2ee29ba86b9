"""Atomic replacement of files and folders."""

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
    """Yield a temporary path to write; at the end it replaces the file.

    A kill at any moment leaves either the old or the new file; an exception leaves the old one.

    Args:
        path: File to replace or create; its folder exists.

    Yields:
        A temporary path in the same folder, with the same suffix.

    Raises:
        CaptionerError: If the file cannot be written.

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
    """Yield an empty temporary folder to fill; at the end it replaces the folder.

    The new folder is created beside the old one and flushed to disk. Then the old folder is
    renamed, the new one takes its name, and the old one is deleted. After a kill between the two
    renames, the next call restores the old folder; after any other kill, either the old or the
    new folder is in place. An exception leaves the old folder unchanged.

    Args:
        folder: Folder to replace; the caller checks that it may be replaced.

    Yields:
        The folder to fill.

    Raises:
        CaptionerError: If the folder cannot be written.
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
    """Restore a folder after a kill, and delete partial folders of killed processes.

    Only folders named by `replacing_folder` are considered, and only if their process has ended.

    Args:
        folder: Folder as for `replacing_folder`.
    """
    folder = Path(folder)
    pattern = re.compile(rf"\.{re.escape(folder.name)}\.(\d+)-[0-9a-f]{{8}}\.(part|old)")
    try:
        neighbours = sorted(folder.parent.iterdir())
    except OSError:  # the folder is missing or cannot be listed
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
        f"cannot write {path} ({error.strerror or error}): choose a folder that exists, is "
        "writable and has enough space"
    )


def _flush(path: Path) -> None:
    """Flush a file, or the entries of a folder, to disk."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # Windows cannot open folders, and need not flush them
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # some network file systems do not support it
    finally:
        os.close(descriptor)
