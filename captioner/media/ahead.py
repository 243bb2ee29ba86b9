"""Sources read by threads, ahead of the network that looks at them."""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from queue import Full, Queue
from threading import Event
from typing import Any

from captioner.errors import CaptionerError
from captioner.media.clip import Clip
from captioner.media.turns import Turns

_WAITING = 2  # clips of one source that may wait for the network


@dataclass(frozen=True)
class Reading:
    """What was read of one of several sources.

    Attributes:
        index: Where the source stands among them.
        clip: A clip of it, or the error that says why there is none, or why there are no more.
        last: Whether nothing of this source is left.
    """

    index: int
    clip: Clip | CaptionerError
    last: bool


def read_ahead(
    read: Callable[[Any], Iterator[Clip]],
    sources: Iterable[Any],
    batch_size: int,
    workers: int = 4,
) -> Iterator[list[Reading]]:
    """Yields batches of clips in the order of `sources`, while the next ones are decoded.

    Memory grows neither with the number of sources nor with their length; a source that is too
    large to be read beside others may `wait_for_turn`.

    Args:
        read: Reads a source; see `captioner.media.sources.read_clips`.
        sources: Of any number; they are taken from their iterator as they are needed.
        batch_size: Frames of a batch at most, unless one clip has more; and clips and errors.
        workers: Threads, each of which reads one source.

    Example:
        >>> import numpy as np
        >>> read = lambda n: iter([Clip(np.zeros((n, 2, 2, 3), np.uint8), np.arange(n))])
        >>> [len(batch) for batch in read_ahead(read, [3, 1, 2, 4], batch_size=4)]
        [2, 1, 1]
    """
    batch: list[Reading] = []
    total = 0
    for reading in _read_in_order(read, enumerate(sources), batch_size + workers, workers):
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
) -> Iterator[Reading]:
    abandoned = Event()
    turns = Turns()

    def work(index: int, source: Any, readings: "Queue[Reading | BaseException]") -> None:
        turns.take(index)
        try:
            for reading in _mark_last(index, _catch(read(source))):
                if not _put(readings, reading, abandoned):
                    return
        except BaseException as error:  # What is a bug must not leave the reader waiting.
            _put(readings, error, abandoned)

    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
        try:
            waiting: deque[Queue[Reading | BaseException]] = deque()
            while True:
                for index, source in islice(sources, window - len(waiting)):
                    waiting.append(Queue(_WAITING))
                    pool.submit(work, index, source, waiting[-1])
                if not waiting:
                    return
                reading = waiting[0].get()
                if isinstance(reading, BaseException):
                    raise reading
                if reading.last:
                    waiting.popleft()
                    turns.pass_to(reading.index + 1)
                yield reading
        finally:
            abandoned.set()
            turns.pass_to(math.inf)
            pool.shutdown(cancel_futures=True)


def _catch(clips: Iterator[Clip]) -> Iterator[Clip | CaptionerError]:
    try:
        yield from clips
    except CaptionerError as error:
        yield error


def _mark_last(index: int, clips: Iterator[Clip | CaptionerError]) -> Iterator[Reading]:
    before = next(clips, None)
    while before is not None:
        clip = next(clips, None)
        yield Reading(index, before, last=clip is None)
        before = clip


def _put(queue: "Queue[Any]", item: object, abandoned: Event) -> bool:
    while not abandoned.is_set():
        try:
            queue.put(item, timeout=0.1)
        except Full:
            continue
        return True
    return False
