"""A report that is being written, and further destinations of the same captions."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from captioner.errors import CaptionerError
from captioner.fingerprint import Fingerprint, is_same_moment, take_fingerprint
from captioner.reports.destination import Destination
from captioner.reports.row import Writer
from captioner.reports.run_record import RunRecord

if TYPE_CHECKING:
    from captioner.results import Caption


class Report:
    """A report without earlier content, such as standard output.

    Args:
        writer: Writer of its format.

    Attributes:
        skipped: Number of files that `skip` has found already described.
        changed: Number of files that `skip` has found changed since they were described.
        remark: Note for the user about the report itself; usually empty.
        failed: Number of errors while writing to other destinations.
    """

    def __init__(self, writer: Writer) -> None:
        self.failed = 0
        self.skipped = 0
        self.changed = 0
        self.remark = ""
        self._writer = writer

    def skip(self, path: str) -> bool:
        """Return True if the report already describes a file's current content.

        Call this when the file's turn comes, before it is read.
        """
        return False

    def write(self, path: str, result: "Caption | CaptionerError", last: bool = True) -> None:
        """See `Writer`."""
        self._writer.write(path, result, last)

    def summary(self) -> Iterator[str]:
        """Yield a line about files that already have captions, and one about changed files."""
        if self.skipped:
            yield f"Skipped (already in the report): {self.skipped}"
        if self.changed:
            yield f"Described again (changed): {self.changed}"


class ResumableReport(Report):
    """A report in a file that a later run can resume.

    Args:
        writer: Writer of its format, to `stream`.
        stream: Open file of the report.
        path: Path of the report.
        record: Record of this report, open for appending.
        described: Paths of the described files, as its rows spell them.
        rows_a_file: If True, a file may have several rows, as in all formats except JSONL.
    """

    def __init__(
        self,
        writer: Writer,
        stream: IO[bytes],
        path: Path,
        record: RunRecord,
        described: Iterable[str],
        rows_a_file: bool,
    ) -> None:
        super().__init__(writer)
        self._stream = stream
        self._path = path
        self._record = record
        self._spelling = {record.identity(name): name for name in described}
        self._rows_a_file = rows_a_file
        self._coming: dict[str, Fingerprint | None] = {}
        self._outdated: dict[str, str] = {}  # by path of this run, the spelling of the rows
        self._rows = 0

    def skip(self, path: str) -> bool:
        """See `Report`."""
        name = self._spelling.get(self._record.identity(self._record.path_in_report(path)))
        known = None if name is None else self._record.files.get(name)
        if name is None:
            self._coming[path] = take_fingerprint(path)
            return False
        if known is not None and not is_same_moment(path, known):
            now = take_fingerprint(path)
            if now is None or now.sha256 != known.sha256:
                self.changed += 1
                self._coming[path] = now
                self._outdated[path] = name
                return False
            self._record.add(name, now)  # only touched: avoids hashing it again next time
        self.skipped += 1
        return True

    def write(self, path: str, result: "Caption | CaptionerError", last: bool = True) -> None:
        """See `Writer`.

        Raises:
            CaptionerError: If the report was deleted or replaced in the meantime.
        """
        self._check_in_place()
        # Keep the spelling of the file's earlier rows, so that these are found and replaced.
        name = self._outdated.get(path) or self._record.path_in_report(path)
        self._writer.write(name, result, last)
        failed = isinstance(result, CaptionerError)
        if not isinstance(result, CaptionerError):
            self._rows += 1 + len(result.alternatives) if self._rows_a_file else 1
        if not last:
            return
        rows, self._rows = self._rows if self._rows_a_file else 1, 0
        known = self._coming.pop(path, None)
        is_new = self._outdated.pop(path, None) is None
        if not failed:
            self._record.add(name, known, None if is_new else rows)

    def _check_in_place(self) -> None:
        try:
            in_place = os.path.samestat(self._path.stat(), os.fstat(self._stream.fileno()))
        except FileNotFoundError:
            in_place = False
        if not in_place:
            raise CaptionerError(
                f"{self._path} was deleted or replaced by another program while it was being "
                "written: close that program, and run the same command again"
            )


class FannedReport(Report):
    """Passes each caption to a report and to the destinations that need it.

    Args:
        report: Report; on standard output it shows every caption that a destination needs, and in
            a file it decides for itself what it still needs.
        destinations: One or more destinations.
        is_file: True if the report is a file.
        tell: Called with the message of each destination's error, which stops nothing else.
    """

    def __init__(
        self,
        report: Report,
        destinations: Sequence[Destination],
        is_file: bool,
        tell: Callable[[str], object],
    ) -> None:
        self.remark = report.remark
        self.failed = 0
        self._report = report
        self._destinations = destinations
        self._is_file = is_file
        self._tell = tell
        self._waiting: dict[str, list[Destination]] = {}
        self._not_in_report: set[str] = set()
        self._results: list[Caption | CaptionerError] = []

    def skipped(self) -> int:  # type: ignore[override]
        """See `Report`."""
        return self._report.skipped

    @property
    def changed(self) -> int:  # type: ignore[override]
        """See `Report`."""
        return self._report.changed

    def skip(self, path: str) -> bool:
        """See `Report`; a file is described if anything needs it."""
        waiting = [each for each in self._destinations if self._is_wanted(each, path)]
        in_report = not self._report.skip(path) if self._is_file else bool(waiting)
        if not waiting and not in_report:
            return True
        self._waiting[path] = waiting
        if not in_report:
            self._not_in_report.add(path)
        return False

    def write(self, path: str, result: "Caption | CaptionerError", last: bool = True) -> None:
        """See `Writer`."""
        if path not in self._not_in_report:
            self._report.write(path, result, last)
        self._results.append(result)
        if not last:
            return
        results, self._results = self._results, []
        self._not_in_report.discard(path)
        for destination in self._waiting.pop(path, []):
            try:
                destination.write(path, results)
            except CaptionerError as error:
                self._fail(error)

    def summary(self) -> Iterator[str]:
        """See `Report`; also reports what the destinations have skipped."""
        yield from self._report.summary()
        for destination in self._destinations:
            yield from destination.summary()

    def _is_wanted(self, destination: Destination, path: str) -> bool:
        try:
            return destination.wants(path)
        except CaptionerError as error:
            self._fail(error)
            return False

    def _fail(self, error: CaptionerError) -> None:
        self.failed += 1
        self._tell(str(error))


class LeftOut:
    """Counts the files in folders that are not images or videos, by kind.

    Args:
        report: Path of the report, which is not counted if it is in such a folder.
        sidecars: Forms of this run's sidecars, which are not counted either.
    """

    def __init__(self, report: Path | None, sidecars: Iterable[str] = ()) -> None:
        self.kinds: Counter[str] = Counter()
        self._sidecars = {f".{form}" for form in sidecars}
        self._own = (
            ()
            if report is None
            else (*(report.name, f"{report.name}.run", f"{report.name}.shots"),)
        )

    def add(self, path: str, kind: str) -> None:
        """Count a path that `find_media` leaves out."""
        if Path(path).name not in self._own and kind not in self._sidecars:
            self.kinds[kind] += 1


def summarize(report: Report, left_out: LeftOut) -> Iterator[str]:
    """Yield lines about skipped, changed and left-out files.

    Args:
        report: Report after its last caption.
        left_out: Left-out files of the same run.

    Example:
        >>> left_out = LeftOut(None)
        >>> left_out.add("notes.txt", ".txt"), left_out.add("trip", "subfolders")
        (None, None)
        >>> list(summarize(Report(writer=None), left_out))
        ['Left out: .txt (1), subfolders (1; --recursive searches them)']
    """
    yield from report.summary()
    if left_out.kinds:
        kinds = (
            f"{kind} ({number}{'; --recursive searches them' * (kind == 'subfolders')})"
            for kind, number in left_out.kinds.most_common()
        )
        yield f"Left out: {', '.join(kinds)}"
