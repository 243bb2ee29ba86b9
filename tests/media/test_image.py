import os
import threading
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pictures import MARKED, SAMPLES, encode, photo
from PIL import Image

from captioner.media.image import load_image


@settings(max_examples=60, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_every_rgb_picture_round_trips_through_png(pixels):
    for source in (encode(pixels, "PNG"), Image.fromarray(pixels), pixels):
        assert np.array_equal(load_image(source), pixels)


def test_path_of_any_kind(tmp_path):
    path = tmp_path / "ein schönes Bild.png"
    path.write_bytes(encode(MARKED, "PNG"))
    for source in (path, str(path)):
        assert np.array_equal(load_image(source), MARKED)


def test_suffix_does_not_matter(tmp_path):
    path = tmp_path / "picture.txt"
    path.write_bytes(encode(MARKED, "PNG"))
    assert np.array_equal(load_image(path), MARKED)


def test_result_is_new_and_writable():
    pixels = MARKED.copy()
    result = load_image(pixels)
    result[:] = 0
    assert np.array_equal(pixels, MARKED)


def test_pil_image_stays_open_and_unchanged(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(encode(photo(400, 600), "JPEG"))
    with Image.open(path) as image:
        assert load_image(image, size=(20, 20)).shape == (20, 20, 3)
        assert image.size == (600, 400)
        assert load_image(image).shape == (400, 600, 3)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are of POSIX")
def test_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(encode(MARKED, "PNG"),))
    writer.start()
    assert np.array_equal(load_image(pipe), MARKED)
    writer.join()


def test_grey_arrays_get_three_equal_channels():
    grey = MARKED[:, :, 0]
    expected = np.repeat(grey[:, :, None], 3, axis=2)
    assert np.array_equal(load_image(grey), expected)
    assert np.array_equal(load_image(grey[:, :, None]), expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_float_arrays_are_in_0_1(dtype):
    levels = (np.arange(256) / 255).astype(dtype)[None]
    assert np.abs(load_image(levels)[0, :, 0].astype(int) - np.arange(256)).max() <= (
        1 if dtype == np.float16 else 0
    )


def test_uint16_arrays_are_scaled():
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    expected = np.floor(levels / 65535 * 255 + 0.5)
    assert np.array_equal(load_image(levels)[:, :, 0], expected)


def test_alpha_of_arrays_is_laid_over_white():
    rgba = np.random.default_rng(0).integers(0, 256, (16, 16, 4), np.uint8)
    alpha = rgba[:, :, 3:] / 255
    expected = rgba[:, :, :3] * alpha + 255 * (1 - alpha)
    assert np.abs(load_image(rgba) - expected).max() <= 1
    as_float = load_image((rgba / 255).astype(np.float32))
    assert np.array_equal(as_float, load_image(rgba))


def test_tensors_are_arrays():
    jax = pytest.importorskip("jax.numpy")
    assert np.array_equal(load_image(jax.asarray(MARKED)), MARKED)


@pytest.mark.parametrize("size", [(224, 224), (10, 40), (500, 7), (1, 1)])
def test_size_is_height_and_width(size):
    assert load_image(photo(100, 150), size=size).shape == (*size, 3)


def test_size_does_not_alias():
    # A chequerboard of single pixels is grey from afar.
    board = (np.indices((448, 448)).sum(axis=0) % 2 * 255).astype(np.uint8)
    assert np.abs(load_image(board, size=(40, 40)).astype(int) - 127.5).max() < 2


def test_draft_is_close_to_full_decoding():
    image = photo(1600, 2400)
    data = encode(image, "JPEG", quality=92)
    with Image.open(BytesIO(data)) as full:
        full.load()
        expected = np.asarray(full.resize((224, 224), Image.Resampling.BICUBIC)).astype(int)
    difference = np.abs(load_image(data, size=(224, 224)) - expected)
    assert difference.mean() < 1
    assert difference.max() < 24


def test_draft_decodes_a_fraction():
    data = encode(photo(800, 1600), "JPEG")
    with Image.open(BytesIO(data)) as quarter:
        quarter.draft("RGB", (200, 200))
        assert quarter.size == (400, 200)
        expected = np.asarray(quarter.resize((100, 100), Image.Resampling.BICUBIC))
    assert np.array_equal(load_image(data, size=(100, 100)), expected)
    assert load_image(data).shape == (800, 1600, 3)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.jpg")), ids=lambda path: path.name)
def test_samples_are_small_and_licensed(path):
    image = load_image(path)
    assert max(image.shape) <= 640
    assert path.stat().st_size < 120_000
    assert f"| `{path.name}` |" in (SAMPLES / "README.md").read_text(encoding="utf-8")
