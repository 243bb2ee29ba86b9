import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import keras
import numpy as np
import pytest
from films import numbered, write_film
from PIL import Image

from captioner.datasets.augment import View
from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.store import FeatureStore, prepare_features
from captioner.errors import CaptionerError
from captioner.models.vgg16 import VGG16Encoder


@pytest.fixture(scope="module")
def encoder():
    keras.utils.set_random_seed(0)
    return VGG16Encoder(weights=None, dtype="float32")


def make_dataset(folder, count, captions=("a dog",)):
    rng = np.random.default_rng(1)
    examples = []
    for number in range(count):
        path = folder / f"{number}.png"
        Image.fromarray(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)).save(path)
        words = tuple(tuple(caption.split()) for caption in captions)
        examples.append(Example(path.name, str(path), captions, words, "train"))
    return Dataset("noise", tuple(examples))


def test_holds_what_the_encoder_sees(encoder, tmp_path):
    data = make_dataset(tmp_path, 3)
    store = prepare_features(data, encoder, tmp_path / "store", batch_size=2)
    assert store.features.shape == (3, 1, 49, 512)
    assert store.features.dtype == np.float16
    image = Image.open(data.examples[2].path).resize((224, 224), Image.Resampling.BICUBIC)
    expected = np.asarray(encoder(np.asarray(image)[None, None]))[0]
    np.testing.assert_allclose(store["2.png"], expected, rtol=2e-3, atol=1e-3)


def test_unreadable_pictures_are_listed_and_left_out(encoder, tmp_path):
    data = make_dataset(tmp_path, 3)
    (tmp_path / "1.png").write_bytes(b"broken")
    store = prepare_features(data, encoder, tmp_path / "store", batch_size=2)
    assert "1.png" not in store
    assert "0.png" in store
    assert "1.png" in store.index["unreadable"]["1.png"]  # the reason names the file


def test_a_film_that_breaks_off_gives_what_comes_before(encoder, tmp_path, capsys):
    path = write_film(
        tmp_path / "film.mp4",
        [numbered(number) for number in range(200)],
        muxer={"movflags": "faststart"},
    )
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    example = Example("film", str(path), ("a cat",), (("a", "cat"),), "train")
    data = Dataset("films", (example,))
    store = prepare_features(data, encoder, tmp_path / "store", batch_size=2, frames=4)
    assert store.index["unreadable"] == {}
    assert capsys.readouterr().err.startswith("in part: cannot read all of")
    assert len(store["film"]) in (2, 3)  # at 0, 5, 10 and 15 seconds of 20
    assert store["film"].any((1, 2)).all()


class Counted:
    """An encoder that counts the images that it encodes."""

    def __init__(self, encoder):
        self.encoder, self.image_size = encoder, encoder.image_size
        self.features_shape, self.seen = encoder.features_shape, []

    def __call__(self, images):
        self.seen.append(len(images))  # in a graph: once for each shape
        return self.encoder(images)

    def fingerprint(self):
        return self.encoder.fingerprint()


def test_features_belong_to_pictures_and_not_to_sentences(encoder, tmp_path):
    data = make_dataset(tmp_path, 3)
    prepare_features(data, encoder, tmp_path / "store", batch_size=2)
    written = (tmp_path / "store" / "features.npy").stat().st_mtime_ns
    corrected = [
        replace(example, captions=("a cat",), tokens=(("a", "cat"),), split="val")
        for example in data.examples
    ]
    for examples in (corrected, corrected[::-1], corrected[1:]):
        counted = Counted(encoder)
        store = prepare_features(Dataset("noise", tuple(examples)), counted, tmp_path / "store")
        assert counted.seen == []
        assert all(example.id in store for example in examples)
    assert (tmp_path / "store" / "features.npy").stat().st_mtime_ns == written


def test_pictures_that_a_store_lacks_are_added(encoder, tmp_path):
    data = make_dataset(tmp_path, 4)
    folder = tmp_path / "store"
    first, rest = Dataset("noise", data.examples[1:3]), Dataset("noise", data.examples)
    prepare_features(first, encoder, folder, batch_size=2)
    known = np.load(folder / "features.npy")
    store = prepare_features(rest, encoder, folder, batch_size=2)
    assert store.index["image_ids"] == ["1.png", "2.png", "0.png", "3.png"]
    np.testing.assert_array_equal(store.features[:2], known)
    whole = prepare_features(rest, encoder, tmp_path / "whole", batch_size=2)
    for example in data.examples:
        np.testing.assert_array_equal(store[example.id], whole[example.id])
    (tmp_path / "0.png").write_bytes(b"another picture")
    with pytest.raises(CaptionerError, match=r"1 file has changed .* \(0\.png\)"):
        prepare_features(rest, encoder, folder, batch_size=2)


def test_pictures_are_added_to_a_store_that_a_kill_has_left(encoder, tmp_path):
    data = make_dataset(tmp_path, 4)
    folder = tmp_path / "store"
    prepare_features(Dataset("noise", data.examples[:2]), encoder, folder, batch_size=2)
    index = json.loads((folder / "index.json").read_text())
    # As between two batches: the second row, of a picture that has left the data set, is not done.
    (folder / "index.json").write_text(json.dumps({**index, "completed": 1}))
    kept = Dataset("noise", (data.examples[0], *data.examples[2:]))
    store = prepare_features(kept, encoder, folder, batch_size=2)
    assert store.index["image_ids"] == ["0.png", "2.png", "3.png"]
    whole = prepare_features(kept, encoder, tmp_path / "whole", batch_size=2)
    for example in kept.examples:
        np.testing.assert_array_equal(store[example.id], whole[example.id])


def test_another_dataset_or_encoder_is_refused(encoder, tmp_path):
    data = make_dataset(tmp_path, 2)
    store = prepare_features(data, encoder, tmp_path / "store", batch_size=2)
    store.check(data, encoder.fingerprint())
    with pytest.raises(CaptionerError, match=r"another dataset, without 2\.png"):
        store.check(make_dataset(tmp_path, 3), encoder.fingerprint())
    with pytest.raises(CaptionerError, match="another encoder"):
        store.check(data, "other")


def test_missing_and_broken_stores_are_named(tmp_path):
    with pytest.raises(CaptionerError, match="captioner prepare"):
        FeatureStore(tmp_path)
    (tmp_path / "index.json").write_text("{")
    with pytest.raises(CaptionerError, match=r"index\.json: this index is broken"):
        FeatureStore(tmp_path)
    index = {"format": 1, "completed": 1, "image_ids": ["a", "b"], "unreadable": {}}
    (tmp_path / "index.json").write_text(json.dumps(index))
    with pytest.raises(CaptionerError, match="1 of 2 images"):
        FeatureStore(tmp_path)


@pytest.mark.slow
def test_sigkill_and_restart_give_the_same_store(encoder, tmp_path):
    weights = tmp_path / "vgg16.weights.h5"
    encoder.backbone.save_weights(weights)
    data = make_dataset(tmp_path, 40)
    table = tmp_path / "captions.csv"
    rows = "".join(f"{example.id},a dog,train\n" for example in data.examples)
    table.write_text("image,caption,split\n" + rows)
    command = [sys.executable, "-m", "captioner", "prepare", str(table)]
    command += ["--weights", str(weights), "--batch-size", "1", "--out"]

    killed = tmp_path / "killed"
    process = subprocess.Popen([*command, str(killed)], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not (killed / "index.json").exists() or completed(killed) == 0:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()
    assert 0 < completed(killed) < 40
    with pytest.raises(CaptionerError, match="unfinished"):
        FeatureStore(killed)

    for folder in (killed, tmp_path / "undisturbed"):
        subprocess.run([*command, str(folder)], check=True, capture_output=True)
    resumed, undisturbed = FeatureStore(killed), FeatureStore(tmp_path / "undisturbed")
    assert resumed.index == undisturbed.index
    np.testing.assert_array_equal(resumed.features, undisturbed.features)


def completed(folder):
    return json.loads((folder / "index.json").read_text())["completed"]


def test_a_view_holds_other_features_of_the_training_pictures_alone(encoder, tmp_path):
    data = make_dataset(tmp_path, 3)
    *train, last = data.examples
    data = Dataset("noise", (*train, replace(last, split="val")))
    whole = prepare_features(data, encoder, tmp_path / "store", batch_size=2)
    view = prepare_features(data, encoder, tmp_path / "view", batch_size=2, view=View(seed=1))
    assert view.features.shape == (2, 1, 49, 512)
    assert "2.png" not in view
    (clip,) = View(seed=1).read(data.examples[1], (224, 224))
    expected = np.asarray(encoder(clip.frames[None]))[0]
    np.testing.assert_allclose(view["1.png"], expected, rtol=2e-3, atol=1e-3)
    assert not np.allclose(view["1.png"], whole["1.png"], rtol=0.1)
    with pytest.raises(CaptionerError, match="another view"):
        prepare_features(data, encoder, tmp_path / "view", batch_size=2, view=View(seed=2))
    whole.check(data, encoder.fingerprint())
    with pytest.raises(CaptionerError, match="another view"):
        view.check(data, encoder.fingerprint())  # no store of whole pictures


def test_views_of_clips_are_refused(encoder, tmp_path):
    example = Example("film", "film.mp4", ("a cat",), (("a", "cat"),), "train")
    with pytest.raises(CaptionerError, match="only images"):
        prepare_features(Dataset("films", (example,)), encoder, tmp_path, view=View(seed=1))


@pytest.mark.slow
def test_a_replaced_picture_is_noticed(encoder, tmp_path):
    data = make_dataset(tmp_path, 3)
    prepare_features(data, encoder, tmp_path / "store", batch_size=2)
    prepare_features(data, encoder, tmp_path / "store", batch_size=2)
    Image.new("RGB", (60, 80), "red").save(data.examples[1].path)
    with pytest.raises(CaptionerError, match=r"1 file has changed .* \(1\.png\)"):
        prepare_features(data, encoder, tmp_path / "store", batch_size=2)


@pytest.mark.slow
def test_sigterm_ends_with_its_exit_code_and_leaves_no_partial_file(encoder, tmp_path):
    weights = tmp_path / "vgg16.weights.h5"
    encoder.backbone.save_weights(weights)
    data = make_dataset(tmp_path, 200)
    rows = "".join(f"{example.id},a dog,train\n" for example in data.examples)
    (tmp_path / "captions.csv").write_text("image,caption,split\n" + rows)
    store = tmp_path / "store"
    command = [sys.executable, "-m", "captioner", "prepare", str(tmp_path / "captions.csv")]
    command += ["--weights", str(weights), "--batch-size", "1", "--out", str(store)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    while not (store / "index.json").exists() or completed(store) == 0:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    process.terminate()
    assert process.wait(timeout=60) == 143
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    names = {path.name for path in store.iterdir()}
    assert names == {"features.npy", "index.json", "files.jsonl"}
    assert 0 < completed(store) < 200
