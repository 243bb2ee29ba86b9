"""Sources that threads read ahead, while the network processes earlier ones."""

import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from queue import Empty, Full, Queue, SimpleQueue
from threading import Event, Thread, current_thread
from time import monotonic
from typing import Any

from captioner.errors import CaptionerError, unreadable
from captioner.media.budget import Turns
from captioner.media.clip import Clip

_WAITING = 2  # maximum number of clips of one source in the queue


@dataclass(frozen=True)
class Reading:
    """A clip or an error that was read from one of several sources.

    Attributes:
        index: Index of the source.
        source: The source itself.
        clip: Clip of the source, or the error that explains why there is none, or no more.
        last: True for the last reading of this source.
    """

    index: int
    source: Any
    clip: Clip | CaptionerError
    last: bool


def read_ahead(
    read: Callable[[Any], Iterator[Clip]],
    sources: Iterable[Any],
    batch_size: int,
    workers: int = 4,
    timeout: float = math.inf,
) -> Iterator[list[Reading]]:
    """Yield batches of clips in the order of `sources`, while the next ones are decoded.

    Memory use depends neither on the number of sources nor on their length. A source that is too
    large to be read in parallel with others may `wait_for_turn`.

    Args:
        read: Function that reads a source; see `captioner.media.sources.read_clips`.
        sources: Any number of sources, taken from their iterator when they are needed.
        batch_size: Maximum number of frames in a batch, unless a single clip has more; also the
            maximum number of clips and errors.
        workers: Number of threads, each of which reads one source at a time.
        timeout: Total seconds to wait for one source; after that, an error replaces the rest of
            the source.

    Example:
        >>> import numpy as np
        >>> read = lambda n: iter([Clip(np.zeros((n, 2, 2, 3), np.uint8), np.arange(n))])
        >>> [len(batch) for batch in read_ahead(read, [3, 1, 2, 4], batch_size=4)]
        [2, 1, 1]
    """
    batch: list[Reading] = []
    total = 0
    for reading in _read_in_order(read, enumerate(sources), batch_size + workers, workers, timeout):
        frames = 0 if isinstance(reading.clip, CaptionerError) else len(reading.clip.frames)
        if batch and total + frames > batch_size:
            yield batch
            batch, total = [], 0
        batch.append(reading)
        total += frames
        if total >= batch_size or len(batch) >= batch_size:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch


def _read_in_order(
    read: Callable[[Any], Iterator[Clip]],
    sources: Iterator[tuple[int, Any]],
    window: int,
    workers: int,
    timeout: float,
) -> Iterator[Reading]:
    abandoned = Event()
    turns = Turns()
    tasks: SimpleQueue[_Task | None] = SimpleQueue()
    threads = [_start(tasks) for _ in range(workers)]
    waiting: deque[_Task] = deque()
    try:
        while True:
            for index, source in islice(sources, window - len(waiting)):
                waiting.append(_Task(index, source, read, turns, abandoned))
                tasks.put(waiting[-1])
            if not waiting:
                return
            reading = waiting[0].next_reading(timeout)
            if reading is None:
                # Its thread is stuck; another thread replaces it.
                task = waiting[0]
                if task.thread in threads:
                    threads.remove(task.thread)
                threads.append(_start(tasks))
                error = _too_slow(task.source, timeout)
                reading = Reading(task.index, task.source, error, last=True)
            if isinstance(reading, BaseException):
                raise reading
            if reading.last:
                waiting.popleft()
                turns.pass_to(reading.index + 1)
            yield reading
    finally:
        abandoned.set()
        turns.pass_to(math.inf)
        for _ in threads:
            tasks.put(None)
        for thread in threads:
            thread.join()


def _start(tasks: "SimpleQueue[_Task | None]") -> Thread:
    def work() -> None:
        while (task := tasks.get()) is not None:
            task.run()
            if task.given_up.is_set():
                return

    # A stuck thread must not keep the process from exiting.
    thread = Thread(target=work, name="decode", daemon=True)
    thread.start()
    return thread


class _Task:
    """The reading of one source in a thread, and the time that the consumer waited for it."""

    def __init__(
        self,
        index: int,
        source: Any,
        read: Callable[[Any], Iterator[Clip]],
        turns: Turns,
        abandoned: Event,
    ) -> None:
        self.index = index
        self.source = source
        self.thread: Thread | None = None
        self.given_up = Event()
        self._read = read
        self._turns = turns
        self._abandoned = abandoned
        self._readings: Queue[Reading | BaseException] = Queue(_WAITING)
        # Seconds in which the network was idle, waiting for this source. Time spent reading ahead,
        # or waiting for the turn of other sources, does not count.
        self._waited = 0.0

    def run(self) -> None:
        """Read the source, in a thread."""
        self.thread = current_thread()
        if self._abandoned.is_set():
            return
        self._turns.take(self.index)
        try:
            for reading in _mark_last(self.index, self.source, _catch(self._read(self.source))):
                if not self._put(reading):
                    return
        except BaseException as error:  # Forwarded, so that the consumer does not hang.
            self._put(error)

    def next_reading(self, timeout: float) -> "Reading | BaseException | None":
        """Wait for the next reading; return None after more than `timeout` seconds in all."""
        began = monotonic()
        try:
            wait = None if math.isinf(timeout) else max(timeout - self._waited, 0.0)
            return self._readings.get(timeout=wait)
        except Empty:
            self.given_up.set()
            return None
        finally:
            self._waited += monotonic() - began

    def _put(self, item: Reading | BaseException) -> bool:
        while not (self._abandoned.is_set() or self.given_up.is_set()):
            try:
                self._readings.put(item, timeout=0.1)
            except Full:
                continue
            return True
        return False


def _too_slow(source: Any, timeout: float) -> CaptionerError:
    name = (
        os.fsdecode(source)
        if isinstance(source, str | os.PathLike)
        else getattr(source, "url", None) or getattr(source, "film", None) or "the image"
    )
    return unreadable(
        name, f"it takes longer than {timeout:g} seconds", "increase --timeout, or convert it"
    )


def _catch(clips: Iterator[Clip]) -> Iterator[Clip | CaptionerError]:
    try:
        yield from clips
    except CaptionerError as error:
        yield error


def _mark_last(
    index: int, source: Any, clips: Iterator[Clip | CaptionerError]
) -> Iterator[Reading]:
    before = next(clips, None)
    while before is not None:
        clip = next(clips, None)
        yield Reading(index, source, before, last=clip is None)
        before = clip
