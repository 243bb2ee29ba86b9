import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from captioner.cli import main
from captioner.datasets.readers import read_dataset
from captioner.errors import CaptionerError
from captioner.evaluation.references import read_references
from captioner.fingerprint import take_fingerprint
from captioner.library.collection import Library
from captioner.results import Caption


def said(text, span=None):
    return Caption(text, tuple(text.split()), -1.0, -0.5, span=span)


@pytest.fixture
def folder(tmp_path):
    """A library of six pictures and a clip of two shots, and nothing corrected."""
    rng = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    with Library(tmp_path / "photos.db", create=True) as library:
        for n in range(6):
            path = tmp_path / "photos" / f"{n}.png"
            Image.fromarray(rng.integers(0, 256, (9, 9, 3), np.uint8)).save(path)
            library.put(str(path), take_fingerprint(str(path)), [said("a dog")], "tiny")
        clip = tmp_path / "photos" / "clip.mp4"
        clip.write_bytes(b"no film, but a file")
        shots = [said("a man", span=(0.0, 1.0)), said("a dog", span=(1.0, 2.0))]
        library.put(str(clip), take_fingerprint(str(clip)), shots, "tiny")
    return tmp_path


def correct(folder, captions):
    with Library(folder / "photos.db") as library:
        for name, text in captions.items():
            library.correct(str(folder / "photos" / name), text)


def test_corrected_captions_are_the_data_set(folder):
    correct(folder, {f"{n}.png": f"our dog Rex, number {n}" for n in range(5)})
    data = read_dataset(folder / "photos.db")
    assert [e.id for e in data.examples] == [f"photos/{n}.png" for n in range(5)]
    assert data.examples[3].captions == ("our dog Rex, number 3",)
    assert data.examples[3].tokens == (("our", "dog", "rex", "number", "3"),)
    assert all(Path(e.path).is_file() for e in data.examples)
    assert sorted(e.split for e in data.examples) == ["train"] * 4 + ["val"]
    truth = read_references(folder / "photos.db", image_ids=["3.png"])
    assert truth.captions["photos/3.png"] == ["our dog Rex, number 3"]


def test_copies_are_one_picture(folder):
    shutil.copy(folder / "photos/0.png", folder / "photos/copy.png")
    correct(folder, {"0.png": "our dog Rex"})
    copy = str(folder / "photos/copy.png")
    with Library(folder / "photos.db") as library:
        assert library.adopt(copy, take_fingerprint(copy)) == "copied"
        library.correct(copy, "Rex again")
    (only,) = read_dataset(folder / "photos.db").examples
    assert (only.id, only.captions) == ("photos/0.png", ("our dog Rex", "Rex again"))


def test_what_cannot_be_taught_is_told(folder):
    correct(folder, {"0.png": "our dog Rex", "1.png": "Rex sleeps"})
    with Library(folder / "photos.db") as library:
        library.correct(str(folder / "photos/clip.mp4"), "Rex swims", at=1.5)
    (folder / "photos/1.png").unlink()
    data = read_dataset(folder / "photos.db")
    assert [e.id for e in data.examples] == ["photos/0.png"]
    assert any("1.png is missing" in fault for fault in data.faults)
    assert any("clip.mp4 has 2 shots" in fault for fault in data.faults)


def test_a_library_without_corrections_says_how_to_make_some(folder):
    with pytest.raises(CaptionerError, match=r"no caption in .*photos\.db was corrected.*correct"):
        read_dataset(folder / "photos.db")
    correct(folder, {"0.png": "our dog Rex"})
    (folder / "photos/0.png").unlink()
    with pytest.raises(CaptionerError, match=r"0\.png is missing: no correction of .* can be used"):
        read_dataset(folder / "photos.db")


def test_check_and_evaluate_read_a_library(folder, tiny_preset):
    correct(folder, {f"{n}.png": f"our dog rex runs on the grass {n}" for n in range(6)})
    done = CliRunner().invoke(main, ["check", str(folder / "photos.db")])
    assert "photos: 6 images, 6 captions" in done.stdout, done.output
    command = ["evaluate", "--preset", str(tiny_preset), "--dataset", str(folder / "photos.db")]
    done = CliRunner().invoke(main, [*command, "--split", "all", "--no-meteor"])
    assert done.exit_code == 0, done.output
    assert "6 images, 6 references" in done.stdout


def test_another_database_is_refused(tmp_path):
    connection = sqlite3.connect(tmp_path / "other.db")
    connection.execute("CREATE TABLE x (y)")
    connection.close()
    with pytest.raises(CaptionerError, match=r"other\.db is a database of another program"):
        read_dataset(tmp_path / "other.db")
