"""A server of a toy model with a library of a few files."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from captioner.captioner import Captioner
from captioner.cli.caption import main as caption
from captioner.presets.storage import read_preset
from captioner.web.application import Limits, Service, build_application

SAMPLES = Path(__file__).parents[2] / "data" / "samples"


@pytest.fixture(scope="session")
def captioner(tiny_preset):
    return Captioner(read_preset(tiny_preset, task=None))


@pytest.fixture
def library(tiny_preset, tmp_path):
    """A library beside a folder of two images and a clip, and a file that is not in it."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("dog.jpg", "cat.jpg", "shepherd_and_cat.mp4"):
        shutil.copy(SAMPLES / name, photos)
    path = tmp_path / "photos.db"
    options = ["--preset", str(tiny_preset), "--library", str(path), "--quiet"]
    assert CliRunner().invoke(caption, [str(photos), *options]).exit_code == 0
    (photos / "secret.txt").write_text("secret")
    return path


@pytest.fixture
def serve(captioner):
    """A function that makes a client of a new server."""

    def serve(library=None, options=None, names=(), **limits):
        service = Service(captioner, "tiny", library, names, options or {}, Limits(**limits))
        return TestClient(build_application(service), base_url="http://127.0.0.1:8000")

    return serve
