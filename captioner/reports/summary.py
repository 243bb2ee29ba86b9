"""What a run says at its end about the files that it did not describe."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from captioner.reports.report import Report


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
