import re
import shlex
import sys
from pathlib import Path

import pytest

from captioner.training.config import read_config

sys.path.insert(0, str(Path("scripts").resolve()))
from write_results import PAGE, read_results, write_page

ROWS = read_results()


def test_the_page_is_that_of_the_table():
    assert PAGE.read_text(encoding="utf-8") == write_page(ROWS), "run scripts/write_results.py"


def test_names_are_unique_and_what_a_row_builds_on_is_a_row():
    names = [row["name"] for row in ROWS]
    assert len(set(names)) == len(names)
    assert {row["builds_on"] for row in ROWS} <= {"", *names}


@pytest.mark.parametrize("row", [row for row in ROWS if row["recipe"]], ids=lambda row: row["name"])
def test_the_recipe_of_a_row_can_be_read(row):
    settings = shlex.split(row["settings"])
    assert read_config(row["recipe"], None, settings).run


def test_rows_that_the_notes_name_are_in_the_table():
    names = {row["name"] for row in ROWS}
    notes = Path("docs/lab-notes.md").read_text(encoding="utf-8")
    named = re.findall(r"row `([^`]+)`", notes)
    assert named and set(named) <= names
