import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from captioner.cli import main


def run(*arguments):
    return CliRunner().invoke(main, ["check", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path):
    for n in range(12):
        pixels = np.random.default_rng(n).integers(0, 256, (8, 9, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{n}.png")
    return tmp_path


def test_a_good_data_set(folder):
    rows = "".join(f"{n}.png;a picture number {n}\r\n" for n in range(12))
    (folder / "captions.csv").write_text(f"\ufeffImage;Caption\r\n{rows}", encoding="utf-8")
    result = run(folder)
    assert result.exit_code == 0, result.output
    assert "captions: 12 images, 12 captions" in result.output
    assert "train: 9 images, 1.0 captions each" in result.output
    assert "val: 3 images" in result.output
    assert result.output.endswith("nothing to fix\n")


def test_what_is_wrong_is_listed(folder):
    rows = "".join(f"{n}.png,,train\n" for n in range(11)) + "11.png,a dog,train\nno.png,b,train\n"
    (folder / "captions.csv").write_text(f"image,caption,split\n{rows}")
    result = run(folder)
    assert result.exit_code == 1
    assert "11 unusable rows, left out:" in result.output
    assert "and 1 more (--all lists them)" in result.output
    assert "1 missing or unreadable images, left out" in result.output
    assert 'no images in the split "val"' in result.output
    assert "and 1 more" not in run(folder, "--all").output


def test_no_data_set(tmp_path):
    result = run(tmp_path)
    assert result.exit_code == 1
    assert "has no readable data set: give a table" in result.output
