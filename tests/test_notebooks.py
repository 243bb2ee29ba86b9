"""The notebooks run from top to bottom, and come to what they show."""

import ast
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"
NAMES = (
    "quickstart",
    "how_it_looks",
    "teach_your_world",
    "train_your_own",
    "cnn_lstm_from_scratch",
)


def read(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def execute(name, monkeypatch):
    """Run a notebook in its short mode. It asserts what its text claims as it goes."""
    monkeypatch.setenv("CAPTIONER_NOTEBOOK_SHORT", "1")
    # The kernel runs what is tested, wherever else captioner is installed.
    path = os.pathsep.join(filter(None, [str(FOLDER.parent), os.environ.get("PYTHONPATH")]))
    monkeypatch.setenv("PYTHONPATH", path)
    notebook = read(name)
    for cell in notebook.cells:
        cell.pop("outputs", None)
    resources = {"metadata": {"path": str(FOLDER)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
    return notebook


def outputs(notebook):
    return [
        output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs
    ]


def final_numbers(notebook):
    """What the last code cell gives."""
    cell = [cell for cell in notebook.cells if cell.cell_type == "code"][-1]
    return ast.literal_eval(cell.outputs[-1]["data"]["text/plain"])


def printed(notebook):
    text = "".join(output.text for output in outputs(notebook) if output.output_type == "stream")
    return text.replace("\r\n", "\n")  # a command writes to a terminal


@pytest.mark.slow
@pytest.mark.parametrize("kept", [True, False], ids=["as kept in the file", "run anew"])
def test_only_the_models_that_read_in_order_are_right(kept, monkeypatch):
    name = "cnn_lstm_from_scratch"
    accuracy = final_numbers(read(name) if kept else execute(name, monkeypatch))
    assert 0.18 < accuracy["single frames, averaged"] < 0.32
    assert 0.18 < accuracy["mean of the features"] < 0.57
    assert accuracy["CNN-LSTM"] >= 0.99
    assert accuracy["ConvLSTM2D"] >= 0.99


@pytest.mark.slow
@pytest.mark.parametrize("kept", [True, False], ids=["as kept in the file", "run anew"])
def test_quickstart_describes_the_samples(kept, monkeypatch):
    notebook = read("quickstart") if kept else execute("quickstart", monkeypatch)
    text = printed(notebook)
    for line in (
        "a brown and black dog is standing in the grass\n",  # without words that are false
        "nosuch.jpg -> cannot read nosuch.jpg (no such file): check the path\n",
        "00:00:02.000 --> 00:00:04.000\na close up of a cat with a tie\n",
        "photos/dog.jpg\tour dog Rex in the woods\n",
    ):
        assert line in text
    shown = [o.data["text/html"] for o in outputs(notebook) if "text/html" in o.get("data", {})]
    assert len(shown) == 4
    assert all(html.count("<img") == html.count("<figure") >= 9 for html in shown)


@pytest.mark.parametrize("kept", [True, False], ids=["as kept in the file", "run anew"])
def test_how_it_looks_draws_attention_and_the_beam(kept, monkeypatch):
    notebook = read("how_it_looks") if kept else execute("how_it_looks", monkeypatch)
    pictures = [o for o in outputs(notebook) if "image/jpeg" in o.get("data", {})]
    assert len(pictures) == 6
    numbers = final_numbers(notebook)
    assert 3 <= numbers["words"] <= numbers["steps"] <= 19
    assert -0.6 < numbers["best"] < -0.05


@pytest.mark.slow
@pytest.mark.parametrize("kept", [True, False], ids=["as kept in the file", "run anew"])
def test_train_your_own_learns(kept, monkeypatch):
    notebook = read("train_your_own") if kept else execute("train_your_own", monkeypatch)
    text = printed(notebook)
    numbers = final_numbers(notebook)
    assert f"{numbers['right']} of {numbers['tested']} test pictures are described" in text
    assert f"frozen: {numbers['epochs']} of " in text and "best preset: run/frozen/best" in text
    if kept:
        assert numbers["right"] >= 0.5 * numbers["tested"] >= 15
    else:  # a short training has nothing but begun
        assert numbers["epochs"] == 2 and numbers["best CIDEr"] > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("kept", [True, False], ids=["as kept in the file", "run anew"])
def test_three_commands_teach_names(kept, monkeypatch):
    notebook = read("teach_your_world") if kept else execute("teach_your_world", monkeypatch)
    text = printed(notebook)
    assert "photos/dog0.jpg ;our dog Rex in the woods" in text and "nothing to fix\n" in text
    numbers = final_numbers(notebook)
    assert numbers["new"] == (10 if kept else 4) and numbers["others"] == 6
    assert numbers["right"] >= 0.8 * numbers["new"]
    assert numbers["wrong"] <= 1


@pytest.mark.parametrize("name", NAMES)
def test_the_files_are_of_moderate_size_and_whole(name):
    notebook = read(name)
    nbformat.validate(notebook)
    assert (FOLDER / f"{name}.ipynb").stat().st_size < 300_000
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert not [output for output in outputs(notebook) if output.output_type == "error"]
    content = (FOLDER / f"{name}.ipynb").read_text(encoding="utf-8")
    assert "/root/" not in content and "/home/" not in content and "/tmp/" not in content
