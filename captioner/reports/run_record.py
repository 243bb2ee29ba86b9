"""The record of how a report's rows were made, in a separate file beside the report."""

import hashlib
import json
import os
import stat
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from captioner import __version__
from captioner.errors import CaptionerError
from captioner.fingerprint import Fingerprint
from captioner.media.fetching import is_address
from captioner.media.standard_input import PATH
from captioner.replacing import replacing


@dataclass(frozen=True)
class Settings:
    """The settings that determine the captions of a run.

    Attributes:
        preset: Name or folder of the model.
        sha256: SHA-256 of the preset's checksums, and thus of all its files.
        options: Command-line options that change captions, by name; None and False mean absent.
    """

    preset: str
    sha256: str
    options: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_preset(cls, name: str, folder: Path, options: dict[str, Any]) -> "Settings":
        """Return the settings of a run with the preset in `folder`."""
        checksums = (folder / "SHA256SUMS").read_bytes()
        return cls(name, hashlib.sha256(checksums).hexdigest(), options)


class RunRecord:
    r"""The record of a report: its model, its options, and the files that it describes.

    It is a JSON Lines file, `<report>.run`. The first line has the version of captioner, `preset`,
    `sha256`, `options` and `relative_to`: the base folder of the report's relative paths, itself
    relative to the report's folder. Each further line describes a file with complete captions: its
    `path` as in the report, and the attributes of its `Fingerprint`; the last line for a path
    counts. A line is written after the file's rows, so that a killed run leaves at most rows
    without a line.

    Args:
        report: Resolved path of the report.

    Example:
        >>> import tempfile
        >>> report = Path(tempfile.mkdtemp(), "captions.csv")
        >>> report.touch()
        >>> with RunRecord(report) as record:
        ...     record.begin(Settings("tiny", "12ab", {"--mirror": True}))
        ...     record.add("dog.jpg", None)
        >>> again = RunRecord(report)
        >>> again.read(), "dog.jpg" in again.files
        (True, True)
        >>> again.check(Settings("tiny", "12ab"))
        Traceback (most recent call last):
        captioner.errors.CaptionerError: ...captions.csv was begun with --mirror, and this run ...
    """

    def __init__(self, report: Path) -> None:
        self.path = report.with_name(f"{report.name}.run")
        self.files: dict[str, Fingerprint | None] = {}  # of earlier runs
        self.renewed: dict[str, int] = {}  # number of new rows by path; older ones are removed
        self._report = report
        self._settings: Settings | None = None
        self._start_from(_relative(Path.cwd(), report.parent))
        self._stream: IO[str] | None = None

    def __enter__(self) -> "RunRecord":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._stream is not None:
            self._stream.close()

    def read(self) -> bool:
        """Read the record of earlier runs.

        Returns:
            True if there is a record; reports of earlier versions have none.

        Raises:
            CaptionerError: If more than its last line, which a killed run may truncate, is damaged.
        """
        if not self.path.exists():
            return False
        try:
            lines = self.path.read_text(encoding="utf-8").split("\n")[:-1]
            head, *rows = map(json.loads, lines)
            settings = head["settings"]
            self._settings = None if settings is None else Settings(**settings)
            self._start_from(head["relative_to"])
            for row in rows:
                known = Fingerprint(**row["file"]) if row["file"] else None
                self.files[row["path"]] = known
                self.renewed.pop(row["path"], None)
                if "rows" in row:
                    self.renewed[row["path"]] = row["rows"]
        except (ValueError, KeyError, TypeError) as error:
            raise CaptionerError(
                f"{self.path} is damaged: delete it to resume {self._report.name} "
                "without it, or name another file"
            ) from error
        return True

    def check(self, settings: Settings | None) -> None:
        """Check that the settings of a run equal those that the report was begun with.

        Raises:
            CaptionerError: If they differ; the message lists the differences.
        """
        if self._settings is None or settings is None:
            return
        pairs = [_differences(self._settings, settings), _differences(settings, self._settings)]
        before, now = (", ".join(texts) for texts in pairs)
        if before or now:
            raise CaptionerError(
                f"{self._report} was begun with {before}, and this run has {now}: give the same "
                "options, or name another file"
            )

    def begin(self, settings: Settings | None, described: Iterable[str] = ()) -> None:
        """Rewrite the record, and keep it open for appending.

        Args:
            settings: Settings of this run, used only if there are no earlier ones.
            described: Paths whose records are kept.
        """
        self._settings = self._settings or settings
        kept = set(described)
        self.files = {path: known for path, known in self.files.items() if path in kept}
        self.renewed = {}
        head = {
            "captioner": __version__,
            "settings": None if self._settings is None else asdict(self._settings),
            "relative_to": self._relative_to,
        }
        with replacing(self.path) as partial, partial.open("w", encoding="utf-8") as stream:
            stream.write(json.dumps(head) + "\n")
            stream.writelines(_line(path, known) for path, known in self.files.items())
        self.path.chmod(stat.S_IMODE(self._report.stat().st_mode))  # file names may be private, too
        self._stream = self.path.open("a", encoding="utf-8")

    def add(self, path: str, known: Fingerprint | None, rows: int | None = None) -> None:
        """Record a file after its rows have been written.

        Args:
            path: Path as in the report.
            known: Fingerprint of the described content; None if it is not a regular file.
            rows: Number of its new rows, if the report also has older ones.
        """
        assert self._stream is not None, "call begin first"
        if rows is not None:
            self.renewed[path] = rows
        self._stream.write(_line(path, known, rows))
        self._stream.flush()

    def path_in_report(self, path: str) -> str:
        """Return the report's spelling of a path of this run."""
        if self._here == "." or path == PATH or is_address(path) or os.path.isabs(path):  # noqa: PTH117
            return path
        return os.path.join(self._here, path.removeprefix("./"))  # noqa: PTH118

    def identity(self, path_in_report: str) -> str:
        """Return the canonical path of a file, which is independent of the report's spelling."""
        if is_address(path_in_report):
            return path_in_report
        path = os.path.join(self._base, path_in_report)  # noqa: PTH118
        try:
            return os.path.normcase(os.path.realpath(path))
        except ValueError:  # a zero byte: no file has such a name
            return path

    def _start_from(self, relative_to: str) -> None:
        """Set the base folder of the report's relative paths, itself relative to the report's."""
        self._relative_to = relative_to
        self._base = self._report.parent / relative_to
        self._here = _relative(Path.cwd(), self._base)


def _line(path: str, known: Fingerprint | None, rows: int | None = None) -> str:
    row: dict[str, Any] = {"path": path, "file": None if known is None else asdict(known)}
    if rows is not None:
        row["rows"] = rows
    return json.dumps(row) + "\n"


def _differences(one: Settings, other: Settings) -> list[str]:
    texts = []
    if one.sha256 != other.sha256:
        texts.append(f"--preset {one.preset}")
        if one.preset == other.preset:
            texts[-1] += f" (sha256 {one.sha256[:8]})"
    for name in dict.fromkeys((*one.options, *other.options)):
        value = one.options.get(name)
        if (value or None) != (other.options.get(name) or None):
            texts.append(_spell(name, value))
    return texts


def _spell(name: str, value: object) -> str:
    if not value:
        return f"no {name}"
    return name if value is True else f"{name} {value}"


def _relative(path: Path, start: Path) -> str:
    try:
        return os.path.relpath(path, start)
    except ValueError:  # on another drive of Windows
        return str(path)
