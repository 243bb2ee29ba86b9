"""The SHA-256 checksums of a preset's files, in the format of `sha256sum`."""

import hashlib
import re
from collections.abc import Collection
from pathlib import Path

from captioner.errors import CaptionerError

CHECKSUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64}) [ *]([^/\\]+)")
_MOST = 2**16  # maximum bytes of the list; a preset has about ten files
_FIX = "download or reinstall it"


def write_checksums(folder: Path) -> None:
    """Write the checksums of all files in a folder."""
    sums = [f"{_sha256(path)}  {path.name}\n" for path in sorted(folder.iterdir())]
    (folder / CHECKSUMS).write_text("".join(sums), encoding="utf-8")


def verify_checksums(folder: Path, needed: Collection[str]) -> None:
    """Compare each file of a preset with its checksum.

    Args:
        folder: Folder of the preset.
        needed: Names that the list must contain, because files that it lacks are not checked.

    Raises:
        CaptionerError: If the list is missing, empty, broken or incomplete, or if a file is
            missing, is not a regular file, or has another checksum.
    """
    for name, expected in _read_checksums(folder, needed).items():
        path = folder / name
        try:
            # A pipe or a device may have no end, and a loop of links leads to no file.
            found = _sha256(path) if path.is_file() else None
        except OSError as error:
            raise CaptionerError(
                f"preset {folder}: cannot read {name} ({error.strerror}): make it readable, or "
                f"{_FIX}"
            ) from error
        if found is None:
            raise CaptionerError(f"preset {folder} lacks {name}: {_FIX}")
        if found != expected:
            raise CaptionerError(
                f"preset {folder}: {name} was changed or damaged (its sha256 differs from "
                f"{CHECKSUMS}): {_FIX}, or create your own preset with save_to_preset"
            )


def _read_checksums(folder: Path, needed: Collection[str]) -> dict[str, str]:
    path = folder / CHECKSUMS
    if not path.is_file():
        raise CaptionerError(f"preset {folder} has no {CHECKSUMS}: {_FIX}")
    try:
        with path.open("rb") as file:
            content = file.read(_MOST + 1)
        lines = content.decode("utf-8").splitlines() if len(content) <= _MOST else [""]
    except (OSError, ValueError) as error:
        raise CaptionerError(
            f"preset {folder}: cannot read {CHECKSUMS} ({error}): {_FIX}"
        ) from error
    sums = {}
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None or match[2] in sums:
            raise CaptionerError(
                f"preset {folder}: line {number} of {CHECKSUMS} is not a checksum and a file "
                f"name: {_FIX}"
            )
        sums[match[2]] = match[1]
    if missing := sorted(set(needed) - sums.keys()):
        raise CaptionerError(
            f"preset {folder}: {CHECKSUMS} does not list {', '.join(missing)}, so changes cannot "
            f"be detected: {_FIX}"
        )
    return sums


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def preset_identity(folder: Path) -> str:
    """Return 16 hexadecimal digits that identify a preset, from its list of checksums.

    Raises:
        CaptionerError: If the preset has no list of checksums.
    """
    path = folder / CHECKSUMS
    if not path.is_file():
        raise CaptionerError(f"preset {folder} has no {CHECKSUMS}: {_FIX}")
    return _sha256(path)[:16]
