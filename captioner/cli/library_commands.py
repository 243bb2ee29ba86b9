"""`captioner search` and `captioner correct`: work with the files of `caption --library`."""

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import click

from captioner.cli.endings import plain_errors
from captioner.reports.row import CONFIDENCE_DECIMALS
from captioner.reports.text import escape_controls

_LIBRARY = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("library", type=_LIBRARY)
@click.argument("query", nargs=-1)
@click.option("-n", "--limit", default=100, show_default=True, type=click.IntRange(min=1))
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page.")
def search(
    library: Path, query: tuple[str, ...], limit: int, as_json: bool, html: Path | None
) -> None:
    """Search the captions in LIBRARY, best match first; without QUERY, list them by path.

    A caption must contain all words of QUERY, in any form: "dogs" finds "dog". Words such as "a"
    and "on" are ignored, "..." is a phrase, and -word excludes a word (put -- before it). The exit
    code is 0 if something was found, else 1.

    \b
    captioner search photos.db dog on a beach
    captioner search photos.db --html dogs.html -- '"black dog" -cat'
    """  # noqa: D301
    from captioner.library.collection import Library
    from captioner.library.query import search as find

    with plain_errors(), Library(library) as kept:
        text = " ".join(query)
        rows = find(kept, text, limit)
        places = [kept.locate(row["path"]) for row in rows]
        if html is not None:
            _write_page(html, text, rows, places)
        elif as_json:
            found = [_fields(row, place) for row, place in zip(rows, places, strict=True)]
            click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        else:
            for row, place in zip(rows, places, strict=True):
                click.echo("\t".join(map(escape_controls, _cells(row, place))))
    if not rows:
        click.echo("Nothing found: try fewer or other words", err=True)
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("library", type=_LIBRARY)
@click.argument("file", required=False)
@click.argument("caption", required=False)
@click.option(
    "--at", metavar="SECONDS", type=click.FloatRange(min=0), help="The shot of a video at a time."
)
@click.option("--undo", is_flag=True, help="Show the model's caption again.")
@click.option(
    "--export",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all corrections as a table that `captioner train --dataset` reads (.jsonl).",
)
def correct(
    library: Path,
    file: str | None,
    caption: str | None,
    at: float | None,
    undo: bool,
    export: Path | None,
) -> None:
    """Replace the model's caption of FILE in LIBRARY by CAPTION.

    Corrections remain when files are described again, moved or copied.

    \b
    captioner correct photos.db dog.jpg "our dog Rex at the lake"
    captioner correct photos.db clip.mp4 "Rex swims" --at 12.5
    captioner correct photos.db --export corrections.jsonl
    """  # noqa: D301
    if export is not None:
        if file is not None or undo or at is not None:
            raise click.UsageError("--export writes all corrections: leave out FILE.")
        if export.suffix.lower() != ".jsonl":
            raise click.UsageError(f"--export {export}: name a .jsonl file.")
    elif file is None or (caption is None) != undo:
        raise click.UsageError("Give FILE and CAPTION, or FILE and --undo, or --export.")
    from captioner.library.collection import Library

    with plain_errors(), Library(library) as kept:
        if export is not None:
            click.echo(f"{export}: {_export(kept, export)} corrections")
        elif file is not None:
            kept.correct(file, None if undo else caption, at)


def _cells(row: sqlite3.Row, place: Path) -> list[str]:
    from captioner.reports.text import format_time

    cells = [_shown(place)]
    if row["start"] is not None:
        cells.append(f"{format_time(row['start'])}-{format_time(row['end'])}")
    return [*cells, row["text"]]


def _fields(row: sqlite3.Row, place: Path) -> dict[str, Any]:
    fields = {name: row[name] for name in row.keys() if row[name] is not None}  # noqa: SIM118
    for name, decimals in (("confidence", CONFIDENCE_DECIMALS), ("start", 3), ("end", 3)):
        if name in fields:
            fields[name] = round(fields[name], decimals)
    return {**fields, "path": _shown(place)}


def _shown(place: Path) -> str:
    """Return a path relative to the current folder if it lies in it."""
    return os.path.relpath(place) if place.is_relative_to(Path.cwd()) else str(place)


def _write_page(path: Path, query: str, rows: list[sqlite3.Row], places: list[Path]) -> None:
    from captioner.reports.gallery import open_gallery

    with open_gallery(path, query or "Captions") as page:
        for row, place in zip(rows, places, strict=True):
            page.add(place, [row["text"]], row["taken"] or "")
        page.close()


def _export(kept: Any, path: Path) -> int:
    from captioner.replacing import replacing

    rows = list(kept.rows("corrected IS NOT NULL AND removed IS NULL"))
    folder = path.resolve().parent
    with replacing(path) as partial, partial.open("w", encoding="utf-8") as stream:
        for row in rows:
            image = os.path.relpath(kept.locate(row["path"]), folder)
            stream.write(
                json.dumps({"image": image, "caption": row["corrected"]}, ensure_ascii=False) + "\n"
            )
    return len(rows)
