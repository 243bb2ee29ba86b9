"""A report while it is written, and further destinations that get the same captions."""

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
    """A report of which nothing is known but what is written to it now, as on standard output.

    Args:
        writer: Of its format.

    Attributes:
        skipped: How many files `skip` has found described.
        changed: How many it has found changed since they were described.
        remark: What the user should know about the report itself; mostly empty.
        failed: How often something beside the report could not be written.
    """

    def __init__(self, writer: Writer) -> None:
        self.failed = 0
        self.skipped = 0
        self.changed = 0
        self.remark = ""
        self._writer = writer

    def skip(self, path: str) -> bool:
        """Whether a file needs no description, since the report has one of its present content.

        To be asked when the file's turn comes, before it is read.
        """
        return False

    def write(self, path: str, result: "Caption | CaptionerError", last: bool = True) -> None:
        """See `Writer`."""
        self._writer.write(path, result, last)

    def summary(self) -> Iterator[str]:
        """Yield a line about files with captions already, and one about changed files."""
        if self.skipped:
            yield f"Skipped, since the report describes them: {self.skipped}"
        if self.changed:
            yield f"Described anew, since they have changed: {self.changed}"


class ResumableReport(Report):
    """A report in a file that a later run can continue.

    Args:
        writer: Of its format, to `stream`.
        stream: The file, opened.
        path: Its path.
        record: Of this report, open to be added to.
        described: What it describes, as its rows spell it.
        rows_a_file: Whether a file may have several rows, as it does in all formats but JSONL.
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
            self._record.add(name, now)  # touched only: need not be read again next time
        self.skipped += 1
        return True

    def write(self, path: str, result: "Caption | CaptionerError", last: bool = True) -> None:
        """See `Writer`.

        Raises:
            CaptionerError: The report was deleted or replaced meanwhile.
        """
        self._check_in_place()
        # A file keeps its spelling, so that the rows that it had are found and replaced.
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
                f"{self._path} was deleted or replaced by another program while it was written: "
                "close that program, and give the same command again"
            )


class FannedReport(Report):
    """Gives each caption to a report and to those of several destinations that want it.

    Args:
        report: On standard output it shows what is described for the others; a file decides for
            itself what it still needs.
        destinations: At least one.
        is_file: Whether the report is a file.
        tell: Called with each error of a destination, which stops nothing else.
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
        """See `Report`; and what the destinations have skipped."""
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
    """Counts what folders hold besides images and videos, by its kind.

    Args:
        report: The file of the report, which may lie in such a folder, and is not counted.
        sidecars: Forms of the sidecars of this run, which are not counted either.
    """

    def __init__(self, report: Path | None, sidecars: Iterable[str] = ()) -> None:
        self.kinds: Counter[str] = Counter()
        self._sidecars = {f".{form}" for form in sidecars}
        self._own = () if report is None else (report.name, f"{report.name}.run")

    def add(self, path: str, kind: str) -> None:
        """Count a path, as `find_media` gives it."""
        if Path(path).name not in self._own and kind not in self._sidecars:
            self.kinds[kind] += 1


def summarize(report: Report, left_out: LeftOut) -> Iterator[str]:
    """Yield a line about files with captions already, changed files, and what folders hold besides.

    Args:
        report: Once all is written.
        left_out: Of the same run.

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
