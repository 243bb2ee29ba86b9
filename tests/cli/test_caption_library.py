import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from captioner.cli import main as captioner
from captioner.cli.caption import main
from captioner.datasets.table import read_table
from captioner.library.collection import Library

FILM = Path(__file__).parents[2] / "data" / "samples" / "shepherd_and_cat.mp4"


@pytest.fixture
def run(fake_captioner, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("trip").mkdir()
    for number, name in enumerate(("photo.jpg", "trip/a.jpg", "trip/b.png")):
        level = 250 * (number % 2) + number
        Image.new("RGB", (16, 16), (level, level, level)).save(name)
    fake_captioner.calls.clear()

    def run(*arguments):
        fake_captioner.calls.clear()
        return CliRunner().invoke(main, [*arguments, "--library", "photos.db"])

    return run


def manage(*arguments):
    return CliRunner().invoke(captioner, arguments)


def test_only_what_is_new_or_changed_is_described(run, fake_captioner):
    assert run("-r", ".").stderr == ""
    assert fake_captioner.calls == ["photo.jpg", "a.jpg", "b.png"]
    assert run("-r", ".").stderr == "Skipped (already in the library): 3\n"
    assert fake_captioner.calls == []
    Path("trip/a.jpg").touch()
    Path("photo.jpg").rename("trip/moved.jpg")
    shutil.copy("trip/b.png", "copy.png")
    Image.new("RGB", (32, 32), "white").save("trip/b.png")
    result = run("-r", ".")
    assert fake_captioner.calls == ["b.png"]
    assert result.stderr.splitlines() == [
        "Skipped (already in the library): 1",
        "Moved, with their captions: 1",
        "Copies of described files: 1",
        "Described again in the library (changed): 1",
    ]
    Path("copy.png").unlink()
    assert run("-r", ".").stderr.endswith("Marked as missing in the library: 1\n")
    assert run("-r", ".", "--overwrite").stderr == ""
    assert fake_captioner.calls == ["a.jpg", "b.png", "moved.jpg"]


def test_a_copy_of_what_then_changed_is_told_by_content(run, fake_captioner):
    run("-r", ".")
    # The old content is at a new place, and the old place has another content.
    shutil.copy("photo.jpg", "kept.jpg")
    Image.new("RGB", (8, 8)).save("photo.jpg")
    run("-r", ".")
    assert fake_captioner.calls.count("photo.jpg") == 1


def test_search_and_correct(run):
    run("-r", ".")
    found = manage("search", "photos.db", "bright", "pictures")
    assert found.stdout == "trip/a.jpg\ta bright picture\n"
    assert manage("correct", "photos.db", "trip/a.jpg", "our dog Rex").output == ""
    assert manage("search", "photos.db", "dogs").stdout == "trip/a.jpg\tour dog Rex\n"
    run("-r", ".", "--overwrite")
    (row,) = json.loads(manage("search", "photos.db", "rex", "--json").stdout)
    assert (row["path"], row["caption"], row["corrected"]) == (
        "trip/a.jpg",
        "a bright picture",
        "our dog Rex",
    )
    assert row["confidence"] == 0.75 and row["width"] == 16
    none = manage("search", "photos.db", "zebra", "--json")
    assert (json.loads(none.stdout), none.exit_code) == ([], 1)
    assert none.stderr == "Nothing found: try fewer or other words\n"
    assert len(manage("search", "photos.db").stdout.splitlines()) == 3
    assert manage("correct", "photos.db", "trip/a.jpg", "--undo").exit_code == 0
    assert manage("search", "photos.db", "dogs").exit_code == 1


def test_shots_have_their_time(run):
    shutil.copy(FILM, "film.mp4")
    run(".")
    lines = manage("search", "photos.db", "picture").stdout.splitlines()
    assert sum(line.startswith("film.mp4\t0:00:0") for line in lines) == 2
    assert manage("correct", "photos.db", "film.mp4", "Rex").exit_code == 1
    assert manage("correct", "photos.db", "film.mp4", "Rex", "--at", "1").exit_code == 0
    assert manage("search", "photos.db", "rex").stdout.startswith("film.mp4\t0:00:00.0-")


def test_corrections_are_training_data(run):
    run("-r", ".")
    Path("tables").mkdir()
    manage("correct", "photos.db", "trip/a.jpg", "our dog Rex")
    result = manage("correct", "photos.db", "--export", "tables/mine.jsonl")
    assert result.stdout == "tables/mine.jsonl: 1 corrections\n"
    (example,) = read_table("tables/mine.jsonl").examples
    assert Path(example.path).samefile("trip/a.jpg")
    assert example.tokens == (("our", "dog", "rex"),)


def test_embedding_and_a_library_at_once(run, fake_captioner):
    run("-r", ".", "--embed")
    run("-r", ".")
    assert fake_captioner.calls == []


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("search", "none.db", "dog"), r"cannot read none.db"),
        (("correct", "none.db", "a.jpg", "dog"), r"cannot read none.db"),
        (("correct", "photos.db", "a.jpg"), "Give FILE and CAPTION"),
        (("correct", "photos.db", "a.jpg", "a dog", "--undo"), "Give FILE and CAPTION"),
        (("correct", "photos.db", "a.jpg", "x", "--export", "x.jsonl"), "leave out FILE"),
        (("correct", "photos.db", "--export", "x.txt"), "name a .jsonl file"),
        (("correct", "photos.db", "none.jpg", "a dog"), "has no captions of none.jpg"),
        (("correct", "photos.db", "photo.jpg", " "), "cannot be empty"),
    ],
)
def test_refusals(run, arguments, reason):
    run("-r", ".")
    result = manage(*arguments)
    assert result.exit_code in (1, 2)
    assert reason in result.stderr


def test_a_database_of_another_program_is_refused(run):
    Path("photos.db").write_bytes(b"x" * 5000)
    result = run("trip")
    assert result.exit_code == 1
    assert "photos.db is not a library of captions" in result.stderr


def test_a_killed_run_goes_on(tiny_preset, tmp_path):
    for number in range(40):
        Image.new("RGB", (16, 16), (number, 0, 0)).save(tmp_path / f"{number}.png")
    code = "from captioner.cli.caption import main; main(prog_name='caption')"
    path = tmp_path / "photos.db"
    options = ["--preset", str(tiny_preset), "--batch-size", "1", "--library", str(path)]
    command = [sys.executable, "-c", code, str(tmp_path), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        for _ in range(3):
            first.stdout.readline()
        time.sleep(0.02)
        first.send_signal(signal.SIGKILL)
    with Library(path) as library:
        done = len(list(library.rows()))
    assert 2 <= done < 40
    second = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len(second.stdout.splitlines()) == 40 - done
    with Library(path) as library:
        assert len({row["path"] for row in library.rows()}) == 40
        assert library.execute("PRAGMA integrity_check")[0][0] == "ok"
