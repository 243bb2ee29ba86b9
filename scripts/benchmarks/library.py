"""`benchmark.py library`: how long a search in a library takes."""

import json
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import click
import numpy as np

from benchmarks.machine import machine_facts, machine_line
from captioner.evaluation.score_table import aligned
from captioner.fingerprint import Fingerprint
from captioner.library.collection import Library
from captioner.library.query import search
from captioner.results import Caption

_SUBJECTS = ("a dog", "two dogs", "a man", "a woman", "a group of people", "a cat", "a child")
_DEEDS = ("running", "sitting", "standing", "playing", "jumping", "riding a bike", "sleeping")
_PLACES = ("beach", "street", "grass", "snow", "bed", "table", "field", "water", "mountain", "road")
_COLOURS = ("red", "blue", "green", "black", "white", "brown", "yellow")
_QUERIES = ("dog on a beach", "sleeping", '"red street"', "people -snow", "zebra", "a", "")
_REPEATS = 20


@click.command()
@click.option("--rows", default=20_000, show_default=True, type=click.IntRange(min=1))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def library(rows: int, as_json: bool) -> None:
    """Fill a library with captions of pictures that do not exist, and search in it.

    Times are those of a query and its rows, in a process that has the library open.
    """
    with tempfile.TemporaryDirectory() as folder, _fill(Path(folder, "photos.db"), rows) as kept:
        times = {query: _time(kept, query) for query in _QUERIES}
        found = {query: len(search(kept, query, limit=rows)) for query in _QUERIES}
        size = kept.path.stat().st_size
    measured: dict[str, Any] = {
        "machine": machine_facts(),
        "rows": rows,
        "bytes": size,
        "milliseconds": {query: 1000 * median(seconds) for query, seconds in times.items()},
        "slowest": {query: 1000 * max(seconds) for query, seconds in times.items()},
        "found": found,
    }
    click.echo(json.dumps(measured, indent=2) if as_json else _table(measured))


def _fill(path: Path, rows: int) -> Library:
    rng = np.random.default_rng(0)
    kept = Library(path, create=True)
    for number in range(rows):
        subject, deed, place, colour = (
            str(rng.choice(words)) for words in (_SUBJECTS, _DEEDS, _PLACES, _COLOURS)
        )
        text = f"{subject} {deed} on a {colour} {place}"
        content = Fingerprint(1, number, f"{number:064x}")
        caption = Caption(text, tuple(text.split()), -3.0, -1.0, confidence=0.5)
        kept.put(
            str(path.parent / f"{number // 500}" / f"{number}.jpg"), content, [caption], "none"
        )
    return kept


def _time(kept: Library, query: str) -> list[float]:
    seconds = []
    for _ in range(_REPEATS):
        start = perf_counter()
        search(kept, query)
        seconds.append(perf_counter() - start)
    return seconds


def _table(measured: dict[str, Any]) -> str:
    rows = [
        (query or "(all)", str(measured["found"][query]), f"{time:.1f}", f"{slowest:.1f}")
        for query, time, slowest in zip(
            _QUERIES, measured["milliseconds"].values(), measured["slowest"].values(), strict=True
        )
    ]
    head = ("query", "captions", "median, ms", "slowest, ms")
    title = f"{measured['rows']:,} captions, {measured['bytes'] / 1e6:.1f} MB"
    return f"{machine_line(measured['machine'])}\n\n{title}\n\n{aligned(head, rows)}"
