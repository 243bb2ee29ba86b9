"""`benchmark.py failures`: a simulation of a batch on many machines, of which some are lost."""

import heapq
import json
from dataclasses import dataclass

import click
import numpy as np

from captioner.evaluation.score_table import aligned


@dataclass(frozen=True)
class Cluster:
    """What is simulated.

    Attributes:
        nodes: Machines.
        workers: Of each machine, one core each.
        rate: Pictures a second of a worker.
        spread: Of the time of a unit: standard deviation of its logarithm.
        slow: Share of the machines that take three times as long.
        lost_an_hour: Share of the machines that are lost in an hour.
        back: Seconds until a lost machine is replaced and its workers have started.
    """

    nodes: int = 1000
    workers: int = 8
    rate: float = 6.5
    spread: float = 0.2
    slow: float = 0.01
    lost_an_hour: float = 0.0
    back: float = 120.0


def simulate(cluster: Cluster, pictures: int, unit: int, seed: int = 0) -> dict[str, float]:
    """Hand units of work to workers until all are done; those of lost machines are done again.

    Args:
        cluster: The machines.
        pictures: In all.
        unit: Pictures of a unit.
        seed: Of what is drawn at random.

    Returns:
        `hours` until the end; `efficiency`, the share of that which the same machines need if they
        never wait, slow down or are lost; `again`, the share of work that was done in vain; `lost`,
        machines.
    """
    rng = np.random.default_rng(seed)
    slow = rng.random(cluster.nodes) < cluster.slow
    total = -(-pictures // unit)
    seconds = unit / cluster.rate
    left, done, in_vain, lost = total, 0, 0.0, 0
    epoch = np.zeros(cluster.nodes, int)  # how often a machine was lost: its old units are void
    began: dict[tuple[int, int], float] = {}
    # Events: time, kind (0 a unit ends, 1 a machine is lost, 2 it is back), machine, worker, epoch.
    events: list[tuple[float, int, int, int, int]] = []

    idle: list[tuple[int, int, int]] = []  # machine, worker, epoch

    def start(now: float, node: int, worker: int) -> None:
        nonlocal left
        if not left:
            idle.append((node, worker, int(epoch[node])))
            return
        left -= 1
        began[node, worker] = now
        took = seconds * float(rng.lognormal(0, cluster.spread)) * (3 if slow[node] else 1)
        heapq.heappush(events, (now + took, 0, node, worker, int(epoch[node])))

    if cluster.lost_an_hour:
        for node, time in enumerate(rng.exponential(3600 / cluster.lost_an_hour, cluster.nodes)):
            heapq.heappush(events, (float(time), 1, node, 0, 0))
    for node in range(cluster.nodes):
        for worker in range(cluster.workers):
            start(0.0, node, worker)
    now = 0.0
    while done < total:
        now, kind, node, worker, of = heapq.heappop(events)
        if kind == 0 and of == epoch[node]:
            del began[node, worker]
            done += 1
            start(now, node, worker)
        elif kind == 1:
            lost += 1
            epoch[node] += 1
            for each in range(cluster.workers):
                if (node, each) in began:
                    in_vain += now - began.pop((node, each))
                    left += 1
            heapq.heappush(events, (now + cluster.back, 2, node, 0, 0))
            while left and idle:
                other, each, its = idle.pop()
                if its == epoch[other]:
                    start(now, other, each)
        elif kind == 2:
            for each in range(cluster.workers):
                start(now, node, each)
            time = now + float(rng.exponential(3600 / cluster.lost_an_hour))
            heapq.heappush(events, (time, 1, node, 0, 0))
    ideal = total * seconds / (cluster.nodes * cluster.workers)
    return {
        "hours": now / 3600,
        "efficiency": ideal / now,
        "again": in_vain / (total * seconds),
        "lost": lost,
    }


@click.command()
@click.option("--pictures", default=100_000_000, show_default=True, type=click.IntRange(min=1))
@click.option("--nodes", default=1000, show_default=True, type=click.IntRange(min=1))
@click.option("--rate", default=6.5, show_default=True, help="Pictures a second of a worker.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def failures(pictures: int, nodes: int, rate: float, as_json: bool) -> None:
    """Simulate a batch on --nodes machines of eight workers; it runs on no machine at all."""
    rows = [
        {"unit": unit, "lost_an_hour": share}
        | simulate(Cluster(nodes=nodes, rate=rate, lost_an_hour=share), pictures, unit)
        for unit in (256, 1024, 4096)
        for share in (0.0, 0.05, 0.5)
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    cells = [
        [
            f"{row['unit']}",
            f"{100 * row['lost_an_hour']:.1f} %",
            f"{row['lost']:.0f}",
            f"{100 * row['again']:.2f} %",
            f"{row['hours']:.2f}",
            f"{100 * row['efficiency']:.1f} %",
        ]
        for row in rows
    ]
    heading = ("pictures of a unit", "lost an hour", "lost", "done in vain", "hours", "efficiency")
    click.echo(aligned(heading, cells))
