"""What the how-to pages show is what their commands print, one after another, in one folder."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pillow_heif
import pytest
from own_pictures import write_rex
from PIL import Image

ROOT = Path(__file__).parents[1]
PAGES = (
    "phone",
    "sidecars",
    "library",
    "formats",
    "wording",
    "explain",
    "evaluate",
    "describe-videos",
    "teach",
)
MODULES = {"caption": "captioner.cli.caption", "captioner": "captioner.cli"}


@pytest.fixture
def folder(tmp_path):
    """A folder as the pages assume it: photographs and clips, and our commands."""
    photos = tmp_path / "work" / "photos"
    photos.mkdir(parents=True)
    for name in ("dog.jpg", "musicians.jpg", "shepherd.jpg", "shepherd_and_cat.mp4"):
        shutil.copy(ROOT / "data" / "samples" / name, photos)
    phone = tmp_path / "work" / "phone"
    phone.mkdir()
    for number, name in enumerate(("dog", "musicians", "shepherd"), start=1):
        with Image.open(ROOT / "data" / "samples" / f"{name}.jpg") as image:
            pillow_heif.from_pillow(image).save(phone / f"IMG_000{number}.HEIC", quality=90)
    shutil.copy(ROOT / "data" / "samples" / "shepherd_and_cat.mp4", phone / "IMG_0004.MOV")
    (tmp_path / "bin").mkdir()
    for name, module in MODULES.items():
        command = tmp_path / "bin" / name
        code = f"from {module} import main; main(prog_name='{name}')"
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n')
        command.chmod(0o755)
    return tmp_path / "work"


def examples(page):
    """Each command of a page's sessions, and the output below it."""
    text = (ROOT / "docs" / "how-to" / f"{page}.md").read_text(encoding="utf-8")
    for block in re.findall(r"```shell-session\n(.*?)```", text, re.DOTALL):
        for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = example.partition("\n")
            yield command, output


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_sessions_print_what_is_shown(page, folder):
    path = f"{folder.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(folder)}
    environment.pop("CAPTIONER_CONFIG", None)
    if page == "teach":
        write_rex(folder)
    ran = 0
    for command, output in examples(page):
        done = subprocess.run(
            ["bash", "-c", f"exec 2>&1; {command}"],
            cwd=folder,
            env={**environment, "XDG_CONFIG_HOME": ""},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert without_digits(done.stdout) == without_digits(output), command
        ran += 1
    assert ran >= 2


def without_digits(text):
    """Log-probabilities, dates and checksums differ."""
    return re.sub(r"-?\d+\.\d+|\b[0-9a-f]{8}\b|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "0", text)
