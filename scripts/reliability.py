#!/usr/bin/env python
"""What captioner does with bad input, kills and time: the figures of docs/reliability.md.

    python scripts/reliability.py corpus
    python scripts/reliability.py kills
    python scripts/reliability.py memory
    python scripts/reliability.py fuzz --seconds 300

Each prints its counts, and ends with 1 where anything is not as it should be. Linux only.
"""

import click
from trials.corpus import corpus
from trials.fuzzing import fuzz
from trials.kills import kills
from trials.memory import memory


@click.group()
def main() -> None:
    """Try how reliable captioner is on this machine."""


for command in (corpus, kills, memory, fuzz):
    main.add_command(command)


if __name__ == "__main__":
    main()
