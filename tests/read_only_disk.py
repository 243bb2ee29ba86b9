"""Disks that cannot be written to: a real one where mounting is allowed, and one made of errors."""

import builtins
import errno
import io
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

_CHANGING = (
    *("chmod", "link", "mkdir", "mkfifo", "remove", "rename", "replace", "rmdir", "symlink"),
    *("truncate", "unlink", "utime"),
)


def mount_disk(folder, size="64m"):
    """Put a file system of its own on a folder, which `seal_disk` makes read-only.

    Skips the test where mounting is not allowed: by others than root, in most containers.
    """
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    allowed = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("mount")
    if not allowed or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a file system may not be mounted here")
    return folder


def seal_disk(folder):
    """Make a mounted folder read-only."""
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True, capture_output=True)


def unmount_disk(folder):
    subprocess.run(["umount", "-l", str(folder)], check=True)


def refuse_writing(monkeypatch, folder):
    """Have Python's functions refuse what would change a folder, as a read-only disk does.

    For systems where no disk can be mounted: root may write whatever the permissions are.
    """
    root = os.path.realpath(folder)

    def is_within(path):
        if isinstance(path, int) or path is None:
            return False
        return os.path.realpath(os.fspath(path)).startswith(root)

    def refuse(path):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), os.fspath(path))

    def guard(function, changes):
        def guarded(*args, **options):
            if changes(*args, **options):
                refuse(args[0])
            return function(*args, **options)

        return guarded

    def opens_to_write(path, mode="r", *args, **options):
        return is_within(path) and bool(set(mode) & set("wax+"))

    def opens_flagged(path, flags, *args, **options):
        return is_within(path) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))

    for module in (io, builtins):
        monkeypatch.setattr(module, "open", guard(open, opens_to_write))
    monkeypatch.setattr(os, "open", guard(os.open, opens_flagged))
    for name in _CHANGING:
        if hasattr(os, name):
            changes = lambda *paths, **_: any(map(is_within, paths[:2]))  # noqa: E731
            if name in ("chmod", "mkdir", "truncate", "utime", "mkfifo"):
                changes = lambda path, *_, **__: is_within(path)  # noqa: E731
            monkeypatch.setattr(os, name, guard(getattr(os, name), changes))
    connect = sqlite3.connect

    def connect_elsewhere(path, *args, **options):
        if is_within(path):
            raise sqlite3.OperationalError("unable to open database file")
        return connect(path, *args, **options)

    monkeypatch.setattr(sqlite3, "connect", connect_elsewhere)


def contents(folder):
    """All files below a folder, by path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }
