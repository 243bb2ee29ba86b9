import base64
import io
import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from captioner.cli.evaluate import evaluate
from captioner.evaluation.page import images_inside, thumbnail

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n"


def decoded(uri):
    assert uri.startswith("data:image/jpeg;base64,")
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def test_a_thumbnail_is_upright_and_small(tmp_path):
    picture = Image.new("RGB", (900, 300), "red")
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "turned.jpg", exif=exif)
    assert decoded(thumbnail(tmp_path / "turned.jpg")).size == (80, 240)
    Image.new("L", (20_000, 1)).save(tmp_path / "wide.png")
    assert decoded(thumbnail(tmp_path / "wide.png")).size == (320, 1)


def test_no_ghostscript_and_no_bombs(tmp_path, monkeypatch):
    started = tmp_path / "started"
    for name in ("gs", "gswin64c"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\ntouch {started}\nexit 1\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "drawing.jpg").write_bytes(EPS)
    bomb = bytearray(_png())
    bomb[16:24] = (2**31 - 1).to_bytes(4) * 2  # width and height
    (tmp_path / "bomb.png").write_bytes(bomb)
    assert thumbnail(tmp_path / "drawing.jpg") == thumbnail(tmp_path / "bomb.png") == ""
    assert not started.exists()


def _png():
    stream = io.BytesIO()
    Image.new("L", (8, 8)).save(stream, "PNG")
    return stream.getvalue()


def test_links_and_dots_do_not_lead_out(tmp_path):
    images = tmp_path / "images"
    (images / "sub").mkdir(parents=True)
    shutil.copy(SAMPLES / "cat.jpg", tmp_path / "private.jpg")
    shutil.copy(SAMPLES / "cat.jpg", images / "sub" / "own.jpg")
    (images / "link.jpg").symlink_to(tmp_path / "private.jpg")
    (images / "loop.jpg").symlink_to(images / "loop.jpg")
    pictures = {
        "own": images / "sub" / ".." / "sub" / "own.jpg",
        "dots": images / ".." / "private.jpg",
        "absolute": images / str(tmp_path / "private.jpg"),
        "link": images / "link.jpg",
        "zero": images / "a\0b.jpg",
    }
    inside, elsewhere = images_inside(pictures, images)
    assert inside.keys() == {"own"}
    assert elsewhere.keys() == pictures.keys() - {"own"}
    inside, _ = images_inside({"loop": images / "loop.jpg"}, images)
    assert thumbnail(inside.get("loop")) == ""


@pytest.mark.parametrize("name", ["../private.jpg", "ABSOLUTE"])
def test_the_page_of_a_strangers_references_shows_no_private_picture(tmp_path, name):
    images = tmp_path / "images"
    images.mkdir()
    shutil.copy(SAMPLES / "cat.jpg", tmp_path / "private.jpg")
    shutil.copy(SAMPLES / "cat.jpg", images / "own.jpg")
    name = name.replace("ABSOLUTE", str(tmp_path / "private.jpg"))
    rows = f"own.jpg,a cat\n{name},a cat\n"
    (images / "references.csv").write_text("image,caption\n" + rows)
    captions = [{"image_id": image, "caption": "a cat"} for image in ("own.jpg", name)]
    (tmp_path / "results.json").write_text(json.dumps(captions))
    done = CliRunner().invoke(
        evaluate,
        [
            *(str(tmp_path / "results.json"), "--references", str(images / "references.csv")),
            *("--no-meteor", "--resamples", "9", "--html", str(tmp_path / "page.html")),
        ],
    )
    assert done.exit_code == 0, done.output
    page = (tmp_path / "page.html").read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert data["images"]["own.jpg"]["thumbnail"]
    assert data["images"][name]["thumbnail"] == ""
    assert f"1 image ({name}): not shown, because the file is outside" in page
