"""Several workers of one training on this machine, started again if one of them is killed."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from captioner.errors import CaptionerError

_POLL = 0.2  # seconds
_PATIENCE = 10  # seconds between SIGTERM and SIGKILL
_RESTARTS = 3


def run_workers(
    command: Sequence[str], count: int, report: Callable[[str], None], restarts: int = _RESTARTS
) -> int:
    """Run a command in several processes that train together.

    If a process is killed by a signal, the others are ended, and all are started again; they resume
    from the last checkpoint.

    Args:
        command: Program and arguments of a training that can be resumed. The standard output of
            worker 0 is this process's; that of the others is dropped.
        count: Number of processes.
        report: Function that is called with a line of text before a restart.
        restarts: Number of times that the processes are started again, at most.

    Returns:
        0, or the exit code of the first process that failed.

    Raises:
        CaptionerError: If workers were killed more often than `restarts`.
    """
    for attempt in range(restarts + 1):
        codes = _run_once(command, count)
        if not any(codes.values()):
            return 0
        killed = [index for index, code in codes.items() if code < 0]
        if not killed:
            return next(code for code in codes.values() if code)
        if attempt < restarts:
            report(f"worker {killed[0]} was killed (signal {-codes[killed[0]]}): starting again")
    raise CaptionerError(
        f"workers were killed {restarts + 1} times: see that there is memory for {count}, or start "
        "fewer; the same command resumes"
    )


def worker_environment(index: int, addresses: Sequence[str]) -> dict[str, str]:
    """Return the variables that tell TensorFlow and JAX who takes part in a training.

    Args:
        index: Number of the worker.
        addresses: Host and port of each worker.

    Example:
        >>> told = worker_environment(1, ["127.0.0.1:4000", "127.0.0.1:4001"])
        >>> json.loads(told["TF_CONFIG"])["task"]  # with KERAS_BACKEND=tensorflow, the default
        {'type': 'worker', 'index': 1}
    """
    task = {"type": "worker", "index": index}
    told = {
        "TF_CONFIG": json.dumps({"cluster": {"worker": list(addresses)}, "task": task}),
        "KERAS_DISTRIBUTION_JOB_ADDRESSES": ",".join(addresses),
        "KERAS_DISTRIBUTION_NUM_PROCESSES": str(len(addresses)),
        "KERAS_DISTRIBUTION_PROCESS_ID": str(index),
    }
    # `join_workers` refuses those of the other framework.
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    told = {k: v for k, v in told.items() if (k == "TF_CONFIG") == (backend == "tensorflow")}
    gpus = [gpu for gpu in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if gpu]
    if len(gpus) >= len(addresses):
        told["CUDA_VISIBLE_DEVICES"] = gpus[index]
    return told


def _run_once(command: Sequence[str], count: int) -> dict[int, int]:
    """Run all processes until they end or one fails; return the exit codes before others ended."""
    addresses = _free_addresses(count)
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for index in range(count):
            environment = {**os.environ, **worker_environment(index, addresses)}
            out = None if index == 0 else subprocess.DEVNULL
            processes.append(subprocess.Popen(command, env=environment, stdout=out))
        while True:
            codes = {n: p.returncode for n, p in enumerate(processes) if p.poll() is not None}
            if len(codes) == count or any(codes.values()):
                return codes
            time.sleep(_POLL)
    finally:
        _end(processes)


def _end(processes: Sequence["subprocess.Popen[bytes]"]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + _PATIENCE
    for process in processes:
        try:
            process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_addresses(count: int) -> list[str]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]


def train_command(arguments: Sequence[str]) -> list[str]:
    """Return the command of one worker.

    Example:
        >>> train_command(["mine.yaml"])[1:]
        ['-m', 'captioner', 'train', 'mine.yaml']
    """
    return [sys.executable, "-m", "captioner", "train", *arguments]
