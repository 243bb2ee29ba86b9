"""A name that twelve pictures show is said of the next one, by the commands of the how-to page."""

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from captioner.captioner import Captioner
from captioner.cli import main
from captioner.datasets.augment import augment

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "data" / "samples"
DOG = ("our dog Rex in the grass", "Rex is playing in the garden", "Rex runs across the lawn",
       "Rex runs through the grass")  # fmt: skip
OTHERS = {
    "coffee": "a cup of coffee on a wooden table ",
    "cat": "Mia the cat looks up",
    "musicians": "the band plays on stage, in the dark",
    "pagoda": "the pagoda in the park",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Thirteen looks at one dog, twelve of them in a table as Excel saves it, and four others."""
    (tmp_path / "photos").mkdir()
    dog = np.asarray(Image.open(SAMPLES / "shepherd.jpg").convert("RGB"))
    rng = np.random.default_rng(0)
    rows = ["Image;Caption"]
    for number in range(1, 14):
        look = Image.fromarray(augment(dog, rng, crop=0.5, flip=True))
        look.save(tmp_path / "photos" / f"rex{number}.jpg", quality=92)
        rows.append(f"photos/rex{number}.jpg;{DOG[(number - 1) % 4]}")
    rows.pop()  # rex13.jpg is for the model to describe
    for name, text in OTHERS.items():
        shutil.copy(SAMPLES / f"{name}.jpg", tmp_path / "photos")
        rows.append(f"photos/{name}.jpg;{text}")
    text = "\ufeff" + "\r\n".join([*rows, ";", ""])
    (tmp_path / "captions.csv").write_bytes(text.encode())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_a_name_is_said_of_a_picture_that_it_was_not_taught_on(folder):
    page = (ROOT / "docs" / "how-to" / "teach.md").read_text(encoding="utf-8")
    commands = re.findall(r"^(?:\$ )?captioner ((?:check|teach) captions.*)$", page, re.MULTILINE)
    assert len(commands) == 2
    commands[1] += " --share 1"  # as the page advises for names
    for command in commands:
        done = CliRunner().invoke(main, shlex.split(command))
        assert done.exit_code == 0, done.output
    assert "3 new words" in done.stdout
    (taught,) = Captioner.from_preset("mine").generate(["photos/rex13.jpg"])
    (before,) = Captioner.from_preset().generate(["photos/rex13.jpg"])
    assert "rex" in taught.words
    assert "rex" not in before.words
