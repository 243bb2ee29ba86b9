"""Write docs/results.md, the page of results, from docs/results.csv.

python scripts/write_results.py

A row of the table is one measurement. `recipe` is the recipe of `captioner train`, each of
`settings` follows a `--set`, and `builds_on` names the row with the initial weights.
"""

import csv
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "docs" / "results.csv"
PAGE = ROOT / "docs" / "results.md"
SCORES = ("BLEU-1", "BLEU-4", "METEOR", "CIDEr", "accuracy")
HEAD = """# Results

Each row is one measurement on a validation split, x 100. Only tables that are marked so are from a
test split, which is run once for each released model. All figures come from
[results.csv](results.csv), which also has the search, the machine and the settings of each row;
`captioner train RECIPE --set SETTING ...` reproduces a row, with `--run` for a folder of its own.
Findings, and experiments that did not help, are in the [lab notes](lab-notes.md).
"""


def read_results() -> list[dict[str, str]]:
    """Return the rows of the table.

    Example:
        >>> read_results()[0]["name"]
        'top_down-frozen'
    """
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_page(rows: list[dict[str, str]]) -> str:
    """Return the page, in Markdown."""
    lines = [HEAD]
    for study, group in groupby(rows, key=lambda row: row["study"]):
        lines += [f"## {study}\n", *_table(list(group)), ""]
    return "\n".join(lines)


def _table(rows: list[dict[str, str]]) -> Iterator[str]:
    scores = [score for score in SCORES if any(row[score] for row in rows)]
    columns = ["name", "builds on", *scores, "epochs", "cost", "recipe", "what is different"]
    yield f"| {' | '.join(columns)} |"
    yield f"|{'|'.join('---:' if column in scores else '---' for column in columns)}|"
    for row in rows:
        cells = [
            row["name"],
            row["builds_on"],
            *(row[score] for score in scores),
            row["epochs"],
            row["cost"],
            f"`{row['recipe']}`" if row["recipe"] else "",
            row["note"],
        ]
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(write_page(read_results()), encoding="utf-8")
    print(PAGE, file=sys.stderr)
