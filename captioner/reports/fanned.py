"""A report, and further destinations that get the same captions."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from captioner.errors import CaptionerError
from captioner.reports.destination import Destination
from captioner.reports.report import Report

if TYPE_CHECKING:
    from captioner.results import Caption


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
