"""Reports in any format, to standard output or to a file that one process writes at a time."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from captioner.errors import CaptionerError
from captioner.file_lock import hold_lock
from captioner.replacing import replacing
from captioner.reports.chapters import ChapterWriter
from captioner.reports.csv import CSVWriter
from captioner.reports.json import JSONLinesWriter, JSONWriter
from captioner.reports.report import Report, ResumableReport
from captioner.reports.resume import Resumed, drop_superseded, resume_report
from captioner.reports.row import Writer
from captioner.reports.run_record import RunRecord, Settings
from captioner.reports.subtitles import SubtitleWriter
from captioner.reports.text import TerminalStream, TextWriter

FORMATS = ("text", "json", "jsonl", "csv", "vtt", "srt", "chapters")
SUBTITLES = ("vtt", "srt")
OF_ONE_VIDEO = (*SUBTITLES, "chapters")
_BY_SUFFIX = ("json", "jsonl", "csv", "vtt", "srt")
RESUMABLE = ("text", "jsonl", "csv")
_TEXT_SUFFIXES = ("", ".txt", ".tsv", ".text", ".log")


def format_of(path: Path) -> str:
    """Return the report format for the suffix of a file.

    Raises:
        CaptionerError: If no format has this suffix.

    Example:
        >>> format_of(Path("captions.csv")), format_of(Path("captions.txt"))
        ('csv', 'text')
    """
    suffix = path.suffix.lower()
    if suffix in _TEXT_SUFFIXES:
        return "text"
    if path.name.lower().endswith(".chapters.json"):
        return "chapters"
    if suffix.removeprefix(".") in _BY_SUFFIX:
        return suffix.removeprefix(".")
    known = ", ".join(f".{name}" for name in _BY_SUFFIX)
    raise CaptionerError(
        f"{path}: no format has the suffix {suffix}: use .txt, {known}, or give --format"
    )


def make_writer(
    format_name: str, stream: BinaryIO, *, show_path: bool = True, header: str = ""
) -> Writer:
    """Return a writer for a format.

    Args:
        format_name: One of `FORMATS`.
        stream: Output stream, which stays open.
        show_path: If True, text has the path before each caption; other formats always have it.
        header: Header of a CSV report that is resumed; empty for a new one.

    Example:
        >>> from io import BytesIO
        >>> type(make_writer("jsonl", BytesIO())).__name__
        'JSONLinesWriter'
    """
    if format_name == "text":
        return TextWriter(stream, show_path=show_path)
    if format_name == "csv":
        return CSVWriter(stream, header=header)
    if format_name == "jsonl":
        return JSONLinesWriter(stream)
    if format_name == "chapters":
        return ChapterWriter(stream)
    if format_name in SUBTITLES:
        return SubtitleWriter(stream, format_name)
    return JSONWriter(stream)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock a report against other processes for the duration of a `with` block.

    The operating system holds the lock and releases it however the process ends: a killed run
    leaves at most an empty file, and never a stale lock.

    Args:
        path: Path of the report; a separate file beside it is locked, because the report itself
            may be replaced.

    Raises:
        CaptionerError: If another process has the report open.
        OSError: If the folder is not writable.

    Example:
        >>> import tempfile
        >>> report = Path(tempfile.mkdtemp(), "captions.csv")
        >>> with locked(report), locked(report):
        ...     pass
        Traceback (most recent call last):
        captioner.errors.CaptionerError: ...captions.csv is being written by another process: ...
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(hold_lock(path.with_name(f".{path.name}.lock"), timeout=0))
        except TimeoutError as error:
            raise CaptionerError(
                f"{path} is being written by another process: wait until it ends, or name another "
                "file"
            ) from error
        yield


@contextmanager
def open_report(
    path: Path | None,
    format_name: str,
    *,
    settings: Settings | None = None,
    overwrite: bool = False,
    show_path: bool = True,
) -> Iterator[Report]:
    r"""Open a report for the duration of a `with` block.

    JSON and subtitle files are written atomically at the end of the block. The other formats are
    appended to row by row and resume the report of an earlier run; a `RunRecord` beside them
    records how they were made.

    Args:
        path: Path of the file, or None for standard output.
        format_name: One of `captioner.reports.output.FORMATS`.
        settings: Settings of this run, which must equal those of earlier runs.
        overwrite: If True, an existing report is discarded.
        show_path: The same as for `make_writer`.

    Raises:
        CaptionerError: If the file cannot be written, is not a report of this format, was made
            with other settings, or is being written by another process.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "captions.jsonl")
        ...     with open_report(path, "jsonl") as report:
        ...         if not report.skip("dog.jpg"):
        ...             report.write("dog.jpg", CaptionerError("empty"))
        ...     '"error": "empty"' in path.read_text()
        True
    """
    try:
        with ExitStack() as stack:
            if path is not None and (path.is_file() or not path.exists()):
                target = path.resolve()  # keeps a link, and writes to its target
                stack.enter_context(locked(target))
                yield stack.enter_context(
                    _append(target, format_name, settings, overwrite)
                    if format_name in RESUMABLE
                    else _replace(target, format_name)
                )
                return
            stream: BinaryIO
            if path is not None:  # a device or a pipe
                stream = stack.enter_context(path.open("wb"))
            elif sys.stdout.isatty():
                stream = TerminalStream(sys.stdout.buffer)  # type: ignore[assignment]
            else:
                stream = sys.stdout.buffer
            writer = make_writer(format_name, stream, show_path=show_path)
            stack.callback(writer.close)
            yield Report(writer)
    except BrokenPipeError:
        raise  # the reader closed the pipe: not our error
    except OSError as error:
        raise CaptionerError(
            f"cannot write {path or 'standard output'} ({error.strerror or error}): check the "
            "folder and the disk space"
        ) from error


@contextmanager
def _replace(path: Path, format_name: str) -> Iterator[Report]:
    with replacing(path) as partial, partial.open("wb") as stream:
        if path.exists():
            partial.chmod(path.stat().st_mode & 0o777)  # before private content is written
        writer = make_writer(format_name, stream)
        yield Report(writer)
        writer.close()


@contextmanager
def _append(
    path: Path, format_name: str, settings: Settings | None, overwrite: bool
) -> Iterator[Report]:
    with RunRecord(path) as record:
        resumed, remark = Resumed("", []), ""
        if not overwrite and path.exists() and path.stat().st_size:
            recorded = record.read()
            record.check(settings)
            resumed = resume_report(
                path,
                format_name,
                complete=record.files,
                renewed=record.renewed,
                recorded=recorded,
            )
            if not recorded:
                remark = (
                    f"{path.name} has no {record.path.name} beside it to record how its captions "
                    "were made: they are assumed to be from this model and these options, and its "
                    "paths to be relative to the current folder"
                )
        with path.open("wb" if overwrite else "ab") as stream:
            record.begin(settings, resumed.paths)
            writer = make_writer(format_name, stream, header=resumed.header)
            report = ResumableReport(
                writer, stream, path, record, resumed.paths, rows_a_file=format_name != "jsonl"
            )
            report.remark = remark
            yield report
        if record.renewed:  # after an interrupted or failed run, the next run does this
            drop_superseded(path, format_name, record.renewed)
