#!/usr/bin/env python
"""Test captioner with bad input, kills and long runs: the figures of docs/reliability.md.

    python scripts/reliability.py corpus
    python scripts/reliability.py kills
    python scripts/reliability.py memory
    python scripts/reliability.py fuzz --seconds 300

Each command prints its counts, and exits with code 1 if anything fails. Linux only.
"""

import click
from trials.corpus import corpus
from trials.fuzzing import fuzz
from trials.kills import kills
from trials.memory import memory


@click.group()
def main() -> None:
    """Test the reliability of captioner on this machine."""


for command in (corpus, kills, memory, fuzz):
    main.add_command(command)


if __name__ == "__main__":
    main()
