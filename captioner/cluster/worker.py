"""The worker of a batch: an actor that describes units of work and marks what it tries."""

import json
import math
import os
import sys
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

from captioner.cluster.item import Item, StoredFile
from captioner.cluster.object_store import Folder
from captioner.cluster.partitions import Partitions, Row, row_path
from captioner.cluster.plan import decode_units, unit_key
from captioner.cluster.shards import read_values
from captioner.errors import CaptionerError, unreadable
from captioner.media.video_range import NoClipError, VideoRange
from captioner.reports.row import encode_row

PARTS = "_parts"  # folder of what was said about parts of videos


@dataclass(frozen=True)
class Job:
    """What all workers of a batch have in common.

    Attributes:
        out: Where rows go, a path or URL that every worker can reach.
        format_name: "parquet" or "jsonl".
        settings: What decides the captions, as it enters the names of units.
        preset: The model: a `Preset`, or a reference of Ray's to one.
        engine: As of `Captioner`.
        precision: As of `Captioner`.
        threads: Of the network; 0 for as many as there are cores.
        options: Of `Captioner.describe`.
        allow_private: Whether http addresses of local networks may be fetched from.
    """

    out: str
    format_name: str
    settings: str
    preset: Any
    engine: str = "auto"
    precision: str = "auto"
    threads: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    allow_private: bool = False


class Worker:
    """Describes the units of plans, and writes a partition for each.

    Args:
        job: The batch.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._folder = Folder(job.out)
        self._partitions = Partitions(self._folder, job.format_name)
        self._name = uuid.uuid4().hex[:12]
        self._attempts = Attempts(self._folder, self._name)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Do some plans, as Ray Data hands them over.

        Args:
            batch: `plan`, names of files of units in the folder of the batch.

        Returns:
            For each plan: how many rows and errors there are, who has done it, and how many
            mebibytes that worker has taken at most so far.
        """
        done: dict[str, list[Any]] = {name: [] for name in ("rows", "errors", "worker", "memory")}
        for plan in batch["plan"]:
            rows = [
                row for unit in decode_units(self._folder.read(str(plan))) for row in self.do(unit)
            ]
            done["rows"].append(len(rows))
            done["errors"].append(sum("error" in row for row in rows))
            done["worker"].append(f"{os.uname().nodename} {os.getpid()}")
            done["memory"].append(peak_memory())
        return done

    def do(self, unit: Sequence[Item]) -> list[Row]:
        """Describe the items of a unit and write their rows, unless they are there already.

        Returns:
            The rows; none of a part of a video.
        """
        key = unit_key(unit, self._job.settings)
        if unit[0].steps is not None:
            name = f"{PARTS}/{key}.json"
            if not self._folder.has(name):
                rows = self._describe_safely(key, unit)
                self._folder.write(name, json.dumps(rows).encode())
                self._attempts.end(key)
            return []
        name = self._partitions.name(key)
        if self._folder.has(name):  # a worker that died later, or was taken for dead, has done it
            return list(self._partitions.read(name))
        rows = self._describe_safely(key, unit)
        self._partitions.write(name, rows)
        self._attempts.end(key)
        return rows

    def _describe_safely(self, key: str, unit: Sequence[Item]) -> list[Row]:
        """Describe a unit; where that has ended badly before, item by item."""
        self._captioner  # noqa: B018  # where it cannot be built, no item is to blame
        if self._attempts.begin(key) < MOST:
            try:
                return list(self._describe(unit))
            except Exception as error:  # whatever it is, other items are not to suffer from it
                print(f"{key}: {error!r}; trying item by item", file=sys.stderr)
        rows = []
        for number, item in enumerate(unit):
            task = f"{key}-{number}"
            if self._attempts.begin(task) >= MOST:
                reason = "workers have died of it"
                rows.append(self._failed(item, unreadable(item.path, reason, "convert it")))
            else:
                try:
                    rows += self._describe([item])
                except OSError as error:
                    reason = " ".join(str(error).split()) or type(error).__name__
                    fix = "check the file that holds it"
                    rows.append(self._failed(item, unreadable(item.path, reason, fix)))
                except Exception as error:
                    reason = f"an error that should not be: {error!r}"
                    rows.append(self._failed(item, unreadable(item.path, reason, "report it")))
            self._attempts.end(task)
        return rows

    def _describe(self, unit: Sequence[Item]) -> Iterator[Row]:
        said: list[Any] = []
        for result in self._captioner.describe(self._sources(unit), **self._job.options):
            said.append(result.caption)
            if result.last:
                yield self._row(unit[result.index], result.source, said)
                said = []

    def _sources(self, unit: Sequence[Item]) -> Iterator[Any]:
        contents: Iterable[bytes | None] = [None] * len(unit)
        if unit[0].kind == "parquet":
            contents = read_values(unit)
        for item, content in zip(unit, contents, strict=True):
            allowed = self._job.allow_private
            file = StoredFile(item.path, allowed, item=item, content=content)
            if item.steps is None:
                yield file
            else:
                first, stop = item.steps
                yield VideoRange(file, first, math.inf if stop is None else stop)

    def _row(self, item: Item, source: Any, said: Sequence[Any]) -> Row:
        file = cast(StoredFile, source.video if isinstance(source, VideoRange) else source)
        # A part in which no clip begins is no error of the video.
        told = [each for each in said if not isinstance(each, NoClipError)]
        row: Row = json.loads(encode_row(row_path(item.path), *told))
        row |= {"key": file.found["key"]} if file.found.get("key") else {}
        return row | ({"version": item.version} if item.version else {})

    def _failed(self, item: Item, error: CaptionerError) -> Row:
        return self._row(item, StoredFile(item.path, item=item), [error])

    @cached_property
    def _captioner(self) -> Any:
        """The network, once there is something to describe."""
        preset = self._job.preset
        with suppress(ImportError):
            import ray

            if isinstance(preset, ray.ObjectRef):
                preset = ray.get(preset)
                # Ray's arrays are read-only, which OpenVINO refuses.
                weights = {name: array.copy() for name, array in preset.weights.items()}
                preset = replace(preset, weights=weights)
        if self._job.threads:
            os.environ["CAPTIONER_THREADS"] = str(self._job.threads)
        from captioner.captioner import Captioner

        return Captioner(preset, self._job.precision, self._job.engine)


def peak_memory() -> float:
    """Return the mebibytes of memory that this process has taken at most.

    Example:
        >>> peak_memory() > 1
        True
    """
    import resource  # which Windows does not have, nor has Ray clusters there

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS, KiB elsewhere
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


_FOLDER = "_attempts"
MOST = 2  # deaths that may have had another reason, such as a lost machine


class Attempts:
    """Marks in the folder of a batch, each made before something is tried and deleted after it.

    What a dead worker leaves tells the next one where it died.

    Args:
        folder: Of the batch.
        worker: A name for the worker, which no other one has.

    Example:
        >>> import tempfile
        >>> attempts = Attempts(Folder(tempfile.mkdtemp()), "one")
        >>> attempts.begin("12ab"), attempts.begin("12ab"), attempts.begin("12ab")
        (0, 1, 2)
        >>> attempts.end("12ab")
        >>> attempts.begin("12ab")
        0
    """

    def __init__(self, folder: Folder, worker: str) -> None:
        self._folder = folder
        self._worker = worker
        self._count = 0

    def begin(self, task: str) -> int:
        """Mark that a task is tried, and return how often it was before without coming to an end.

        Args:
            task: Its name, letters and digits.
        """
        before = len(self._marks(task))
        self._count += 1
        self._folder.write(f"{_place(task)}/{task}.{self._worker}-{self._count}", b"")
        return before

    def end(self, task: str) -> None:
        """Delete all marks of a task, which has come to an end."""
        for name in self._marks(task):
            self._folder.delete(f"{_place(task)}/{name}")

    def _marks(self, task: str) -> list[str]:
        return [n for n in self._folder.names(_place(task)) if n.startswith(f"{task}.")]


def _place(task: str) -> str:
    """Return one of 256 folders: so many workers at once that a listing stays short."""
    return f"{_FOLDER}/{task[:2]}"
