#!/usr/bin/env python
"""What captioner does with bad input, kills, threads and time: the figures of docs/reliability.md.

    python scripts/reliability.py corpus
    python scripts/reliability.py kills

Each prints its counts, and ends with 1 where anything is not as it should be. Linux only.
"""

import click
from trials.corpus import corpus
from trials.kills import kills


@click.group()
def main() -> None:
    """Try how reliable captioner is on this machine."""


main.add_command(corpus)
main.add_command(kills)


if __name__ == "__main__":
    main()
