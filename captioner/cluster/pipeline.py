"""A batch from its sources to its partitions: a plan, and workers of Ray Data that carry it out."""

import json
import logging
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, count, islice
from typing import Any

from captioner.cluster.item import Item
from captioner.cluster.object_store import Folder, is_url
from captioner.cluster.partitions import Known, Partitions
from captioner.cluster.plan import Pending, encode_units, make_units, unit_key
from captioner.cluster.video_parts import divide_video, join_parts, video_seconds
from captioner.cluster.worker import PARTS, Job, Worker
from captioner.errors import CaptionerError
from captioner.reports.run_record import Settings
from captioner.results import CAPTION

_SETTINGS = "_settings.json"
_PLANS = "_plan"
_UNITS = 4  # of one plan, which one worker carries out
_BLOCKS = 16  # of Ray Data for each worker, which has several plans where there are more
# Ray places an actor that has died anew only where so much of a machine is free, and work that is
# meant for it waits: at half of what it uses, the machines that are left can take it in.
_SHARE = 0.5
_STARTS = 3
_OBJECT_STORE = 200_000_000  # bytes; it holds the preset and names of plans


@dataclass
class Outcome:
    """What a run has done.

    Attributes:
        rows: Written by this run.
        errors: Of these.
        skipped: Items that had a row.
        changed: Of the rows, those of items that have changed since an earlier run.
        memory: The most memory of each worker, in MiB.
    """

    rows: int = 0
    errors: int = 0
    skipped: int = 0
    changed: int = 0
    memory: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Scale:
    """How a batch is spread.

    Attributes:
        address: Of a running Ray cluster; None starts Ray on this machine alone, for the batch.
        workers: How many; None for as many as the CPUs, or GPUs, of the cluster allow.
        threads: CPUs of a worker.
        unit: Images of a unit of work, which is what a death costs at most.
        part: Seconds of video that one worker describes; 0 leaves videos in one piece.
        cpus: CPUs that Ray may use where it is started; None for all.
    """

    address: str | None = None
    workers: int | None = None
    threads: int = 1
    unit: int = 64
    part: float = 600.0
    cpus: int | None = None


def run_batch(
    items: Iterable[Item],
    job: Job,
    settings: Settings,
    scale: Scale | None = None,
    overwrite: bool = False,
    progress: Callable[[int], object] = lambda rows: None,
) -> Outcome:
    """Describe items by the workers of a Ray cluster, and write their rows.

    A run that is repeated does what is missing. What a killed worker or machine was at is done by
    another one; a unit of work is in one file, which appears as a whole, so that each item has one
    row in the end.

    Args:
        items: In any number; those of a run that goes on are skipped.
        job: Where to, by which model. Its `preset` is a `Preset`.
        settings: What earlier runs into the same folder must have had, too.
        scale: How it is spread.
        overwrite: Whether the rows of earlier runs are deleted first.
        progress: Told how many rows have come.

    Raises:
        CaptionerError: The folder has rows of other settings, or cannot be written to; or Ray is
            not installed.
    """
    scale = scale or Scale()
    # The current folder of a worker is another one.
    job = replace(job, out=job.out if is_url(job.out) else os.path.abspath(job.out))  # noqa: PTH100
    folder = Folder(job.out)
    partitions = Partitions(folder, job.format_name)
    _begin(folder, partitions, settings, job.format_name, overwrite)
    pending = Pending(partitions, Known(partitions))
    divided: list[tuple[Item, list[Item]]] = []
    every = job.options.get("every")

    def divide(item: Item) -> Sequence[Item]:
        if job.preset.task != CAPTION:  # a label is of the whole video
            return []
        parts = divide_video(item, video_seconds(item), scale.part, every)
        if parts:
            divided.append((item, parts))
        return parts

    plans = _write_plans(folder, make_units(pending.of(items), scale.unit, divide))
    pending.drop_superseded()
    outcome = Outcome(skipped=pending.skipped, changed=pending.changed)
    with _ray(scale):
        if plans:
            _carry_out(plans, job, scale, outcome, progress)
        # What cannot be put together from its parts is described in one piece.
        whole = list(_join(divided, job, folder, partitions, outcome, progress))
        if whole:
            again = _write_plans(folder, ([item] for item in whole))
            _carry_out(again, job, scale, outcome, progress)
            plans += again
    for plan in plans:
        folder.delete(plan)
    return outcome


def _begin(
    folder: Folder, partitions: Partitions, settings: Settings, format_name: str, overwrite: bool
) -> None:
    """Note how the rows of a folder are made, or compare it with what is noted there."""
    now = {"format": format_name, **asdict(settings)}
    names = folder.names()
    if overwrite:
        for name in chain(names, (f"{PARTS}/{part}" for part in folder.names(PARTS))):
            if name == _SETTINGS or name.startswith(("part-", f"{PARTS}/")):
                folder.delete(name)
    elif _SETTINGS in names:
        before = json.loads(folder.read(_SETTINGS))
        different = sorted(k for k in {*now, *before} if _plain(now.get(k)) != before.get(k))
        different = [name for name in different if name != "preset"]  # its sha256 decides
        if different:
            raise CaptionerError(
                f"{folder.url} was begun with other settings ({', '.join(different)}): give the "
                "same ones, name another folder, or throw its rows away by --overwrite"
            )
    elif names:
        raise CaptionerError(
            f"{folder.url} is not empty and has no {_SETTINGS}: name another folder"
        )
    for plan in folder.names(_PLANS):  # of a run that was killed
        folder.delete(f"{_PLANS}/{plan}")
    folder.write(_SETTINGS, json.dumps(now).encode())


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _write_plans(folder: Folder, units: Iterable[list[Item]]) -> list[str]:
    run = uuid.uuid4().hex[:8]
    names: list[str] = []
    rest = iter(units)
    for number in count():
        some = list(islice(rest, _UNITS))
        if not some:
            break
        names.append(f"{_PLANS}/{run}-{number:06}.jsonl")
        folder.write(names[-1], encode_units(some))
    return names


def _join(
    divided: Iterable[tuple[Item, list[Item]]],
    job: Job,
    folder: Folder,
    partitions: Partitions,
    outcome: Outcome,
    progress: Callable[[int], object],
) -> Iterator[Item]:
    """Put the parts of videos together, and yield the videos with which that cannot be done."""
    for item, parts in divided:
        names = [f"{PARTS}/{unit_key([part], job.settings)}.json" for part in parts]
        rows = [row for name in names for row in json.loads(folder.read(name))]
        row = join_parts(rows)
        if row is None:
            yield item
        else:
            partitions.write(partitions.name(unit_key([item], job.settings)), [row])
            outcome.rows += 1
            progress(1)
        for name in names:
            folder.delete(name)


@contextmanager
def _ray(scale: Scale) -> Iterator[None]:
    """Have Ray for the length of a `with` block: started on loopback, joined, or as it is."""
    if scale.address is None:
        # Makes Ray take 127.0.0.1 for the address of this machine, on Linux, too: nothing listens
        # to other machines, and nothing is sent to them.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray
    except ImportError as error:
        raise CaptionerError("this needs Ray: pip install 'captioner[ray]'") from error
    own = not ray.is_initialized()
    if own and scale.address is None:
        _start(scale)
    elif own:
        try:
            ray.init(address=scale.address, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise CaptionerError(
                f"cannot join Ray at {scale.address} ({error}): check --address, and that the "
                "cluster has the same version of Ray and Python"
            ) from error
    try:
        yield
    finally:
        if own:
            ray.shutdown()


def _start(scale: Scale) -> None:
    """Start Ray on this machine, where it talks to itself alone."""
    import ray

    for attempt in range(_STARTS):
        try:
            ray.init(
                num_cpus=scale.cpus,
                include_dashboard=False,
                object_store_memory=_OBJECT_STORE,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
            return
        except Exception as error:  # that is what Ray raises after 30 seconds on a busy machine
            ray.shutdown()
            if attempt == _STARTS - 1:
                raise CaptionerError(
                    f"Ray does not start here ({error}): try again when the machine is less busy"
                ) from error


def _carry_out(
    plans: Sequence[str],
    job: Job,
    scale: Scale,
    outcome: Outcome,
    progress: Callable[[int], object],
) -> None:
    """Have the workers carry out plans."""
    import ray
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    has = ray.cluster_resources()  # type: ignore[no-untyped-call]
    gpus = int(has.get("GPU", 0)) if job.engine in ("auto", "keras") else 0
    most = gpus or max(int(has.get("CPU", 1)) // scale.threads, 1)
    workers = min(scale.workers or most, len(plans))
    shared = {
        **vars(job),
        "preset": ray.put(job.preset),
        "threads": 0 if gpus else scale.threads,
        "engine": "keras" if gpus else job.engine,
    }
    data = ray.data.from_items(
        [{"plan": plan} for plan in plans],
        override_num_blocks=min(len(plans), _BLOCKS * workers),
    ).map_batches(
        Worker,
        fn_constructor_args=(Job(**shared),),
        batch_size=1,
        concurrency=workers,
        num_cpus=scale.threads * _SHARE,
        num_gpus=1 if gpus else 0,
    )
    try:
        for done in data.iter_rows():
            outcome.rows += int(done["rows"])
            outcome.errors += int(done["errors"])
            worker = str(done["worker"])
            outcome.memory[worker] = max(outcome.memory.get(worker, 0.0), float(done["memory"]))
            progress(int(done["rows"]))
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None)
        raise CaptionerError(f"the workers ended with {cause or error}") from error
