"""The Python examples of the page on metrics give what it shows."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "metrics.md"


def test_examples_give_what_is_shown():
    done = doctest.testfile(str(PAGE), module_relative=False)
    assert done.attempted >= 10
    assert done.failed == 0
