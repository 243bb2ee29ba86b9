"""Where a report goes: standard output or a file."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from captioner.errors import CaptionerError
from captioner.replacing import replacing
from captioner.reports.escapes import TerminalStream
from captioner.reports.formats import RESUMABLE, make_writer
from captioner.reports.lock import locked
from captioner.reports.report import Report, ResumableReport
from captioner.reports.resume import Resumed, drop_superseded, resume_report
from captioner.reports.run_record import RunRecord, Settings


@contextmanager
def open_report(
    path: Path | None,
    format_name: str,
    *,
    settings: Settings | None = None,
    overwrite: bool = False,
    show_path: bool = True,
) -> Iterator[Report]:
    r"""Open a report for the length of a `with` block.

    JSON and subtitles appear in their file at the end of the block, as a whole, or not at all. The
    other formats are appended to, row by row, and continue what an earlier run has written; a
    `RunRecord` beside them says how they were made.

    Args:
        path: The file, or None for standard output.
        format_name: One of `captioner.reports.formats.FORMATS`.
        settings: Those of this run, which are to be the same as those of earlier ones.
        overwrite: Whether what an earlier run has written is thrown away.
        show_path: As for `make_writer`.

    Raises:
        CaptionerError: If the file cannot be written, is not a report of this format, is one with
            other settings, or is being written by another process.

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
                target = path.resolve()  # a link stays one
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
        raise  # the reader has had enough: no error of ours
    except OSError as error:
        raise CaptionerError(
            f"cannot write {path or 'standard output'} ({error.strerror or error}): check the "
            "folder and the space on the disk"
        ) from error


@contextmanager
def _replace(path: Path, format_name: str) -> Iterator[Report]:
    with replacing(path) as partial, partial.open("wb") as stream:
        if path.exists():
            partial.chmod(path.stat().st_mode & 0o777)  # before anything private is in it
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
                    f"{path.name} has no {record.path.name} beside it, which would say how its "
                    "captions were made: they are taken to be of this model and these options, and "
                    "its paths to start from the current folder"
                )
        with path.open("wb" if overwrite else "ab") as stream:
            record.begin(settings, resumed.paths)
            writer = make_writer(format_name, stream, header=resumed.header)
            report = ResumableReport(
                writer, stream, path, record, resumed.paths, rows_a_file=format_name != "jsonl"
            )
            report.remark = remark
            yield report
        if record.renewed:  # after a kill or an error, the next run does it
            drop_superseded(path, format_name, record.renewed)
