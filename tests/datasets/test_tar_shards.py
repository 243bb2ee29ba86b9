"""Shards written by us and by tar itself, and read back as the data set that they were made of."""

import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from captioner.cli import main
from captioner.datasets.readers import read_dataset
from captioner.datasets.shard_writer import write_shards
from captioner.datasets.shuffling import number_shards, shuffle_nearby
from captioner.datasets.tar_shards import read_tar_shards
from captioner.errors import CaptionerError
from captioner.media.image import load_image
from captioner.media.tar_members import read_member

SAMPLES = Path(__file__).parents[2] / "data" / "samples"


@pytest.fixture
def table(tmp_path):
    """A table of 23 images, one of which is broken, with captions and splits."""
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = ["image,caption,split"]
    for number in range(23):
        name = f"{number:02}.png"
        Image.fromarray(rng.integers(0, 256, (40, 60, 3)).astype(np.uint8)).save(folder / name)
        split = "val" if number < 5 else "train"
        rows += [f"{name},Picture {number} of a wall,{split}", f"{name},number {number},{split}"]
    (folder / "07.png").write_bytes(b"no image")
    path = folder / "captions.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def contents(dataset):
    """What a data set says of each image, by id."""
    return {e.id: (e.split, e.captions, e.tokens) for e in dataset.examples}


def test_shards_hold_the_data_set(table, tmp_path):
    before = read_dataset(table)
    written = write_shards(before, tmp_path / "shards", per_shard=4)
    names = sorted(path.name for path in (tmp_path / "shards").glob("*.tar"))
    assert names == [f"train-{n:06}.tar" for n in range(5)] + [f"val-{n:06}.tar" for n in range(2)]
    assert (written.shards, written.images, len(written.faults)) == (7, 22, 1)
    assert "07.png" in written.faults[0]
    after = read_dataset(tmp_path / "shards")
    expected = contents(before)
    del expected["07.png"]
    assert contents(after) == expected
    for example in after.examples:
        original = load_image(str(table.parent / example.id))
        assert np.array_equal(load_image(example.path), original)
    order = [example.id for example in after.split("train")]
    assert order != sorted(order)  # shuffled once


def test_a_killed_run_is_resumed_and_other_options_are_refused(table, tmp_path):
    dataset, folder = read_dataset(table), tmp_path / "shards"
    write_shards(dataset, folder, per_shard=4)
    first = {path.name: path.read_bytes() for path in folder.glob("*.tar")}
    (folder / "train-000001.tar").unlink()
    kept = (folder / "train-000000.tar").stat().st_mtime_ns
    assert write_shards(dataset, folder, per_shard=4).images in (3, 4)  # one may be the broken one
    assert {path.name: path.read_bytes() for path in folder.glob("*.tar")} == first
    assert (folder / "train-000000.tar").stat().st_mtime_ns == kept
    with pytest.raises(CaptionerError, match="has shards of other per_shard"):
        write_shards(dataset, folder, per_shard=5)


def test_images_are_shrunk_and_never_enlarged(table, tmp_path):
    options = ["--out", str(tmp_path / "small"), "--side", "32", "--per-shard", "100"]
    done = CliRunner().invoke(main, ["shard", str(table), *options])
    assert done.exit_code == 0, done.output
    assert "2 shards" in done.output and "22 images written now, 1 unreadable" in done.output
    for example in read_tar_shards(tmp_path / "small").examples:
        content = read_member(example.path)
        with Image.open(io.BytesIO(content)) as image:
            assert (image.format, image.size) == ("JPEG", (48, 32))


def test_shards_of_other_programs(tmp_path):
    """As img2dataset writes them: a text and a JSON beside each image; packed by tar itself."""
    folder = tmp_path / "packed"
    folder.mkdir()
    for number, name in enumerate(("cat", "dog", "coffee", "rocket")):
        shutil.copy(SAMPLES / f"{name}.jpg", folder / f"0000{number}.jpg")
        (folder / f"0000{number}.txt").write_text(f"A {name} by text")
        (folder / f"0000{number}.json").write_text(json.dumps({"caption": f"A {name}", "key": "k"}))
    shutil.copy(SAMPLES / "dog.jpg", folder / "00009.jpg")  # of which nothing is said
    names = sorted(path.name for path in folder.iterdir())
    (tmp_path / "shards").mkdir()
    shard = tmp_path / "shards" / "00000.tar"
    subprocess.run(["tar", "cf", shard, *names], cwd=folder, check=True)
    dataset = read_dataset(tmp_path / "shards")
    assert [e.captions for e in dataset.examples] == [
        (f"A {name}",) for name in ("cat", "dog", "coffee", "rocket")
    ]
    assert dataset.faults == (f"{shard}/00009.jpg has no caption",)
    assert sorted({e.split for e in dataset.examples}) == ["train", "val"]
    assert np.array_equal(load_image(dataset.examples[1].path), load_image(SAMPLES / "dog.jpg"))
    shard.rename(tmp_path / "shards" / "cc3m-validation-0001.tar")
    (split,) = {e.split for e in read_dataset(tmp_path / "shards").examples}
    assert split == "val"
    with pytest.raises(CaptionerError, match=r"cannot read .*nothing\.jpg"):
        load_image(f"{shard}/nothing.jpg")


def test_compressed_and_damaged_shards_are_named(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w:gz") as shard:
        shard.add(SAMPLES / "dog.jpg", "dog.jpg")
    for read in (read_dataset, lambda path: read_member(f"{path}/dog.jpg")):
        with pytest.raises(CaptionerError, match=r"a\.tar .*unpack it if it is compressed"):
            read(tmp_path / "a.tar")


def test_the_order_is_random_and_reads_few_shards_at_a_time():
    shards = np.repeat(np.arange(50), 40)
    numbers = number_shards([f"{shard:02}.tar/{n}" for n, shard in enumerate(shards)])
    assert np.array_equal(numbers, shards)
    assert number_shards(["a.jpg", "b.jpg"]) is None

    def shuffled(seed, buffer=100):
        rng = np.random.default_rng(seed)
        return shuffle_nearby(rng.permutation(len(shards)), shards, rng, buffer)

    order = shuffled(1)
    assert sorted(order) == list(range(len(shards)))
    assert np.array_equal(order, shuffled(1)) and not np.array_equal(order, shuffled(2))

    def opened(order):
        """The number of shards that 80 examples in a row are in."""
        return [len(set(shards[order[at : at + 80]])) for at in range(0, len(order), 80)]

    assert max(opened(order)) <= 20 < 30 <= min(opened(np.random.default_rng(1).permutation(order)))
    places = np.empty(len(order), int)
    places[order] = np.arange(len(order))
    lags = [np.ptp(places[shards == shard]) for shard in range(50)]
    assert np.median(lags) < 1000
    # Without a bound, an order of shards alone would keep neighbours together.
    assert np.mean(np.abs(np.diff(order)) == 1) < 0.05


def test_examples_without_a_shard_are_spread_among_the_others():
    shards = np.array([0] * 50 + [1] * 50 + [-1] * 100)
    rng = np.random.default_rng(0)
    order = shuffle_nearby(rng.permutation(200), shards, rng, buffer=10)
    halves = [(shards[half] < 0).sum() for half in (order[:100], order[100:])]
    assert min(halves) > 30
