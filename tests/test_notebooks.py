"""The notebooks run from top to bottom, and come to what they show."""

import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"
NAME = "cnn_lstm_from_scratch.ipynb"


def final_numbers(notebook):
    """What the last code cell gives."""
    cell = [cell for cell in notebook.cells if cell.cell_type == "code"][-1]
    return ast.literal_eval(cell.outputs[-1]["data"]["text/plain"])


@pytest.mark.parametrize("kept", [True, False], ids=["as kept in the file", "run anew"])
def test_only_the_models_that_read_in_order_are_right(kept):
    notebook = nbformat.read(FOLDER / NAME, as_version=4)
    if not kept:
        for cell in notebook.cells:
            cell.pop("outputs", None)
        resources = {"metadata": {"path": str(FOLDER)}}
        # It asserts what its text claims as it goes.
        NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    accuracy = final_numbers(notebook)
    assert 0.18 < accuracy["single frames, averaged"] < 0.32
    assert 0.18 < accuracy["mean of the features"] < 0.57
    assert accuracy["CNN-LSTM"] >= 0.99
    assert accuracy["ConvLSTM2D"] >= 0.99


def test_the_file_is_of_moderate_size_and_whole():
    path = FOLDER / NAME
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert path.stat().st_size < 300_000
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
