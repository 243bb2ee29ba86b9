"""Where a report goes: standard output or a file."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from captioner.errors import CaptionerError
from captioner.reports.formats import SUBTITLES, make_writer
from captioner.reports.resume import resume_report
from captioner.reports.writer import Writer

_WHOLE = ("json", *SUBTITLES)


@contextmanager
def open_report(
    path: Path | None, format_name: str, *, overwrite: bool = False, show_path: bool = True
) -> Iterator[tuple[Writer, set[str]]]:
    r"""Opens a report for the length of a `with` block.

    JSON and subtitles appear in their file at the end of the block, as a whole, or not at all. The
    other formats are appended to, row by row, and go on with what an earlier run has written.

    Args:
        path: The file, or None for standard output.
        format_name: One of `captioner.reports.formats.FORMATS`.
        overwrite: Whether what an earlier run has written is thrown away.
        show_path: As for `make_writer`.

    Yields:
        The writer, and the absolute paths of what the file describes already.

    Raises:
        CaptionerError: If the file cannot be written, or is not a report of this format.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     report = Path(folder, "captions.jsonl")
        ...     with open_report(report, "jsonl") as (writer, described):
        ...         writer.write("dog.jpg", CaptionerError("empty"))
        ...     report.read_text()
        '{"path": "dog.jpg", "error": "empty"}\n'
    """
    described: set[str] = set()
    append = False
    try:
        with ExitStack() as stack:
            stream: BinaryIO
            if path is None:
                stream = sys.stdout.buffer
            elif path.exists() and not path.is_file():  # a device or a pipe
                stream = stack.enter_context(path.open("wb"))
            elif format_name in _WHOLE:
                stream = stack.enter_context(_replacing(path))
            else:
                if not overwrite and path.exists() and path.stat().st_size:
                    described = resume_report(path, format_name)
                    append = True
                stream = stack.enter_context(path.open("wb" if overwrite else "ab"))
            writer = make_writer(format_name, stream, show_path=show_path, append=append)
            stack.callback(writer.close)
            yield writer, described
    except BrokenPipeError:
        raise  # the reader has had enough: no error of ours
    except OSError as error:
        raise CaptionerError(
            f"cannot write {path or 'standard output'} ({error.strerror or error}): check the "
            "folder and the space on the disk"
        ) from error


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    path = path.resolve()  # a link stays one
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as stream:
            yield stream
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
