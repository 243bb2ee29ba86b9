"""METEOR 1.5, computed by the Java program that comes with pycocoevalcap."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import IO, cast

import numpy as np

from captioner.errors import CaptionerError

_OPTIONS = (
    "-Xmx2G",
    "-Dfile.encoding=UTF-8",
    # Decimal points in numbers, in all system languages.
    *("-Duser.language=en", "-Duser.language.format=en"),
    *("-Duser.country=US", "-Duser.country.format=US"),
)
_ARGUMENTS = ("-", "-", "-stdio", "-l", "en", "-norm")
_OVERRIDES = "_JAVA_OPTIONS"  # the only variable that overrides command-line options


class MeteorProgram:
    """The METEOR process, which answers lines of input with lines of output.

    Args:
        timeout: Timeout of an answer in seconds; the first answer includes the program's start.

    Raises:
        CaptionerError: If Java is not installed.

    Example:
        >>> program = MeteorProgram()  # doctest: +SKIP
        >>> program.ask("SCORE ||| a dog ||| a dog", answers=1)  # doctest: +SKIP
        ['2.0 2.0 1.0 ...']
    """

    def __init__(self, timeout: float = 120.0) -> None:
        java = shutil.which("java")
        if java is None:
            raise CaptionerError("METEOR needs Java: install a Java runtime or leave METEOR out")
        self._java = java
        self._timeout = timeout
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def _start(self) -> "subprocess.Popen[bytes]":
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        environment = {name: value for name, value in os.environ.items() if name != _OVERRIDES}
        jar = Path(str(files("pycocoevalcap.meteor").joinpath("meteor-1.5.jar")))
        try:
            return subprocess.Popen(
                [self._java, *_OPTIONS, "-jar", jar.name, *_ARGUMENTS],
                cwd=jar.parent,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                start_new_session=True,  # so that children of a wrapper script end with it
            )
        except OSError as error:
            with self._errors:
                raise self.failed(str(error.strerror)) from error

    def ask(self, line: str, answers: int) -> list[str]:
        """Send one line and wait for its answers.

        Args:
            line: Line without its end.
            answers: Number of lines in the program's answer.

        Returns:
            The answers, without line ends.

        Raises:
            CaptionerError: If the program cannot be started, has ended, or takes too long; it is
                then killed.
        """
        slow = threading.Event()

        def give_up() -> None:
            slow.set()
            self._kill()

        with self._lock:
            self._process = self._process or self._start()
            stdin, stdout = self._process.stdin, self._process.stdout
            assert stdin is not None and stdout is not None
            # Killing the program ends a blocked read or write here.
            timer = threading.Timer(self._timeout, give_up)
            timer.daemon = True
            timer.start()
            try:
                with suppress(OSError):  # It has ended, perhaps after some output.
                    stdin.write(f"{line}\n".encode())
                    stdin.flush()
                lines = [stdout.readline().decode(errors="replace") for _ in range(answers)]
            finally:
                timer.cancel()
        if slow.is_set():
            raise CaptionerError(f"METEOR's Java gave no answer in {self._timeout:g} seconds")
        if not all(text.endswith("\n") for text in lines):
            raise self.failed(next(iter(lines), ""))
        return [text.rstrip("\r\n") for text in lines]

    def failed(self, answer: str) -> CaptionerError:
        """Return the error for an invalid answer, with the first line of the program's output."""
        self._errors.seek(0)
        said = f"{answer}\n{self._errors.read(4096).decode(errors='replace')}".splitlines()
        words = [text.strip() for text in said if text.strip() and not text.startswith("Picked up")]
        reason = f" ({words[0][:200]})" if words else ""
        return CaptionerError(
            f"METEOR's Java failed{reason}: check that `java -version` works and that 2 GB of "
            "memory are free"
        )

    def _kill(self) -> None:
        if self._process is None:
            return
        if os.name == "posix" and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)  # its own session, so its own group
        self._process.kill()

    def close(self) -> None:
        """End the program, if it was started."""
        self._kill()
        if self._process is not None:
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout, self._errors):
                with suppress(OSError):  # if the program never read a line
                    cast(IO[bytes], stream).close()

    def __del__(self) -> None:
        if hasattr(self, "_process"):
            self.close()


# Columns of the statistics that METEOR prints for one caption.
_LENGTH, _REFERENCE_LENGTH, _CHUNKS, _MATCHED, _REFERENCE_MATCHED = 0, 1, 20, 21, 22


class Meteor:
    """Computes METEOR with a running Java program, whose start takes a few seconds.

    METEOR's corpus score is not a mean; it is computed from sums of statistics over the captions.
    From these statistics, the score of any selection of images can be computed.

    Args:
        timeout: Timeout of one answer of the program, in seconds.

    Raises:
        CaptionerError: If Java is not installed.

    Source: Denkowski and Lavie 2014, "Meteor Universal: Language Specific Translation Evaluation
    for Any Target Language".

    Example:
        >>> meteor = Meteor()  # doctest: +SKIP
        >>> meteor.scores(meteor.statistics(["a dog"], [["a dog"]]))  # doctest: +SKIP
        array([1.])
    """

    def __init__(self, timeout: float = 120.0) -> None:
        self._program = MeteorProgram(timeout)

    @staticmethod
    def is_available() -> bool:
        """Return True if Java is installed."""
        return shutil.which("java") is not None

    def statistics(
        self, captions: Sequence[str], references: Sequence[Sequence[str]]
    ) -> np.ndarray:
        """Match captions with references.

        Args:
            captions: I captions, words separated by single spaces.
            references: References of each caption.

        Returns:
            Statistics, float64 (I, 23); their sums over captions give corpus scores.

        Raises:
            CaptionerError: If Java does not answer, or not with numbers.
        """
        rows = []
        for caption, texts in zip(captions, references, strict=True):
            asked = [*texts, caption]
            # One line is one request, and bars separate its texts.
            clean = [" ".join(text.replace("|||", " ").split()) for text in asked]
            answers = self._program.ask(" ||| ".join(["SCORE", *clean]), answers=1)
            rows.append(self._numbers(answers, columns=23))
        table = np.concatenate(rows)  # (I, 23)
        # The program counts no chunk if caption and reference match completely.
        whole = (
            (table[:, _MATCHED] == table[:, _LENGTH])
            & (table[:, _REFERENCE_MATCHED] == table[:, _REFERENCE_LENGTH])
            & (table[:, _CHUNKS] == 1)
        )
        table[whole, _CHUNKS] = 0
        return table

    def scores(self, sums: np.ndarray) -> np.ndarray:
        """Compute scores from statistics.

        Args:
            sums: Statistics or sums of statistics, (B, 23).

        Returns:
            Scores, float64 (B,).

        Raises:
            CaptionerError: If Java does not answer, or not with numbers.
        """
        rows = (" ".join(f"{value:.1f}" for value in row) for row in sums)
        # The last answer, after one score per row, is the score of all rows together.
        answers = self._program.ask(" ||| ".join(["EVAL", *rows]), answers=len(sums) + 1)
        return self._numbers(answers[:-1], columns=1)[:, 0]

    def _numbers(self, lines: Sequence[str], columns: int) -> np.ndarray:
        """Parse lines into an array, float64 (N, columns)."""
        rows = []
        for line in lines:
            try:
                row = [float(value) for value in line.split()]
            except ValueError as error:
                raise self._program.failed(line) from error
            if len(row) != columns:
                raise self._program.failed(line)
            rows.append(row)
        return np.array(rows, dtype=np.float64).reshape(-1, columns)
