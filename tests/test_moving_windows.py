import json
import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from captioner.datasets.readers import read_dataset
from captioner.media.image import load_image
from captioner.media.sources import read_clips

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "data" / "samples"
NAMES = ("astronaut.jpg", "cat.jpg", "coffee.jpg", "dog.jpg", "pagoda.jpg", "rocket.jpg")


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    import moving_windows

    return moving_windows


@pytest.fixture
def table(tmp_path):
    """Pictures with two captions each, all in the val split."""
    rows = [
        {"image": str(SAMPLES / name), "caption": f"{Path(name).stem} {word}", "split": "val"}
        for name in NAMES
        for word in ("one", "two")
    ]
    path = tmp_path / "pictures.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(script, *arguments):
    return CliRunner().invoke(script.main, [*map(str, arguments)])


def test_a_window_shows_what_is_under_it(script):
    ramp = np.arange(256, dtype=np.uint8)
    picture = np.stack([*np.meshgrid(ramp, ramp), np.zeros((256, 256), np.uint8)], axis=-1)
    start, end = np.array([0.0, 0.5, 0.5]), np.array([0.5, 0.5, 0.5])
    frames = script.move(picture, start, end, 3)
    # Red grows to the right, green to the bottom: their means are the middle of the window.
    middles = [frame.mean((0, 1))[:2] / 255 for frame in frames]
    np.testing.assert_allclose(middles, [(0.25, 0.75), (0.5, 0.75), (0.75, 0.75)], atol=0.01)
    whole = script.move(picture, np.array([0, 0, 1.0]), np.array([0.2, 0.2, 0.4]), 2)
    np.testing.assert_array_equal(whole[0], load_image(picture, size=(224, 224)))


def test_windows_stay_on_the_picture_and_move(script):
    random = np.random.default_rng(0)
    for _ in range(100):
        for start, end in (script.pan(random), script.zoom(random)):
            for left, top, side in (start, end):
                assert min(left, top) >= 0 and max(left, top) + side <= 1 + 1e-9
        start, end = script.pan(random)
        assert start[2] == end[2] and np.abs(end - start).max() == pytest.approx(1 - start[2])
        assert sorted(window[2] for window in script.zoom(random)) == [0.4, 1.0]


def test_a_data_set_of_clips(script, table, tmp_path):
    out = tmp_path / "clips"
    done = run(script, table, "--out", out, "--count", 3)
    assert done.exit_code == 0, done.output
    examples = read_dataset(out).split("val")
    assert [example.id for example in examples] == [
        "0000_pan.mp4",
        "0001_zoom.mp4",
        "0002_cut.mp4",
    ]
    stems = [{caption.split()[0] for caption in example.captions} for example in examples]
    assert list(map(len, stems)) == [1, 1, 2]
    assert len(set.union(*stems)) == 4  # each picture is in one clip
    for example in examples:
        (clip,) = read_clips(example.path, (224, 224), math.inf)
        assert (clip.frames.shape, clip.span) == ((8, 224, 224, 3), (0, 2))
    zoomed, picture = examples[1], load_image(SAMPLES / f"{stems[1].pop()}.jpg", size=(224, 224))
    (clip,) = read_clips(zoomed.path, (224, 224), math.inf)
    differences = np.abs(clip.frames[[0, -1]].astype(int) - picture).mean((1, 2, 3))
    assert differences.min() < 6 < differences.max()  # one end shows the whole picture
    (clip,) = read_clips(examples[2].path, (224, 224), math.inf)
    changes = np.abs(np.diff(clip.frames.astype(int), axis=0)).mean((1, 2, 3))
    assert changes.argmax() == 3  # the cut is half-way


def test_the_same_seed_gives_the_same_clips(script, table, tmp_path):
    for out, seed in (("a", 5), ("b", 5), ("c", 6)):
        assert (
            run(script, table, "--out", tmp_path / out, "--count", 2, "--seed", seed).exit_code == 0
        )
    a, b, c = (
        {path.name: path.read_bytes() for path in (tmp_path / out).iterdir()} for out in "abc"
    )
    assert len(a) == 3
    assert a == b
    assert a["0000_pan.mp4"] != c["0000_pan.mp4"]


def test_broken_pictures_are_left_out_and_too_few_refused(script, table, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff")
    text = table.read_text().replace(str(SAMPLES / "cat.jpg"), str(broken))
    table.write_text(text)
    assert run(script, table, "--out", tmp_path / "out", "--count", 3).exit_code == 0
    few = run(script, table, "--out", tmp_path / "few", "--count", 5)
    assert few.exit_code == 1
    assert f"left out: cannot read {broken}" in few.output
    assert "has images for only 4 clips: give a smaller --count" in few.output
    assert not (tmp_path / "few" / "captions.jsonl").exists()
