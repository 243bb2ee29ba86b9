#!/usr/bin/env python
"""Measure the speed, memory and exactness of captioner on this machine.

    python scripts/benchmark.py caption
    python scripts/benchmark.py video --films films
    python scripts/benchmark.py precision --dataset dataset_flickr8k.json --images Flicker8k_Dataset
    python scripts/benchmark.py colour --dataset data/flickr8k
    python scripts/benchmark.py gender --dataset data/flickr8k
    python scripts/benchmark.py growth
    python scripts/benchmark.py library
    python scripts/benchmark.py peers
    python scripts/benchmark.py roofline
    python scripts/benchmark.py train
    python scripts/benchmark.py metrics
    python scripts/benchmark.py scale
    python scripts/benchmark.py failures
    python scripts/benchmark.py cluster

Each command prints tables, or one JSON object with --json. Linux only: memory is read from /proc.
"""

import click
from benchmarks.captioning import caption
from benchmarks.colour import colour
from benchmarks.failures import failures
from benchmarks.gender import gender
from benchmarks.growth import growth
from benchmarks.library import library
from benchmarks.metrics import metrics
from benchmarks.peers import peers
from benchmarks.precision import precision
from benchmarks.roofline import roofline
from benchmarks.scale import scale
from benchmarks.training import train
from benchmarks.two_nodes import cluster
from benchmarks.video import video


@click.group()
def main() -> None:
    """Measure captioner on this machine."""


main.add_command(caption)
main.add_command(colour)
main.add_command(video)
main.add_command(precision)
main.add_command(gender)
main.add_command(growth)
main.add_command(library)
main.add_command(peers)
main.add_command(roofline)
main.add_command(train)
main.add_command(metrics)
main.add_command(scale)
main.add_command(failures)
main.add_command(cluster)


if __name__ == "__main__":
    main()
