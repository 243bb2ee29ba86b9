"""Processor time and memory of this process and its descendants, while they run."""

import threading
import time
from types import TracebackType

import psutil

_EVERY = 0.5  # seconds between two looks


class Usage:
    """Measures all processes below this one for the length of a `with` block.

    What a process does between the last look and its end is missing: at most half a second of each.

    Attributes:
        seconds: Length of the block.
        processor: Processor seconds of these processes.
        of_process: Those of each process, by its number.
        others: Cores that other programs used meanwhile, on average.
        load: Mean of the load average of one minute.
        peak: The most memory (RSS) of each process, in MiB, by its number.
        names: Last name of each process, by its number.
    """

    def __init__(self) -> None:
        self.seconds = self.processor = self.others = self.load = 0.0
        self.of_process: dict[int, float] = {}
        self.peak: dict[int, float] = {}
        self.names: dict[int, str] = {}
        self._times: dict[tuple[int, float], float] = {}
        self._loads: list[float] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Usage":
        self._look()
        self._before = dict(self._times)
        self._busy = _busy()
        self._began = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._look()
        self.seconds = time.perf_counter() - self._began
        self.of_process = {k[0]: t - self._before.get(k, 0.0) for k, t in self._times.items()}
        self.processor = sum(self.of_process.values())
        self.others = (_busy() - self._busy - self.processor) / self.seconds
        self.load = sum(self._loads) / len(self._loads)

    def _watch(self) -> None:
        while not self._ended.wait(_EVERY):
            self._look()

    def _look(self) -> None:
        self._loads.append(psutil.getloadavg()[0])
        me = psutil.Process()
        for process in (me, *me.children(recursive=True)):
            try:
                with process.oneshot():
                    used, size = process.cpu_times(), process.memory_info().rss / 2**20
                    self.names[process.pid] = process.name()
                    key = process.pid, process.create_time()
            except psutil.Error:  # it has ended
                continue
            self._times[key] = used.user + used.system
            self.peak[process.pid] = max(self.peak.get(process.pid, 0.0), size)


def _busy() -> float:
    """Return the processor seconds that all programs of the machine have used."""
    times = psutil.cpu_times()
    return times.user + times.system + times.nice + times.irq + times.softirq
