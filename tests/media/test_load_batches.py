import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from captioner.errors import CaptionerError
from captioner.media.batches import load_batches


def load_number(source, size):
    """A reader for numbers: fails for negative ones, and is slower for some than for others."""
    time.sleep(0.001 * (source % 3))
    if source < 0:
        raise CaptionerError(f"cannot read {source}")
    return np.full((*size, 3), source, np.uint8)


@given(
    sources=st.lists(st.integers(-3, 200), max_size=30),
    batch_size=st.integers(1, 8),
    workers=st.integers(1, 5),
)
def test_every_source_comes_once_and_in_order(sources, batch_size, workers):
    seen = {}
    for batch in load_batches(sources, (2, 2), batch_size, workers, load=load_number):
        assert len(batch.indices) + len(batch.errors) <= batch_size
        assert batch.images.shape == (len(batch.indices), 2, 2, 3)
        values = dict(zip(batch.indices, batch.images[:, 0, 0, 0].tolist(), strict=True))
        together = {**values, **batch.errors}
        assert not together.keys() & seen.keys()
        assert min(together, default=0) >= len(seen)
        seen.update(together)
    expected = [n if n >= 0 else f"cannot read {n}" for n in sources]
    assert [seen[index] for index in range(len(sources))] == expected


def test_reads_pictures_and_names_the_bad_one(tmp_path):
    Image.new("RGB", (30, 20), "red").save(tmp_path / "red.png")
    (tmp_path / "bad.png").write_text("no picture")
    paths = [tmp_path / "red.png", tmp_path / "bad.png", tmp_path / "red.png"]
    (batch,) = load_batches(paths, (8, 8), 4)
    assert batch.indices == [0, 2]
    assert (batch.images == [255, 0, 0]).all()
    assert "bad.png" in batch.errors[1]


def test_an_endless_list_is_read_two_batches_ahead_at_most():
    taken = []

    def endless():
        number = 0
        while True:
            taken.append(number)
            yield number % 200
            number += 1

    batches = load_batches(endless(), (2, 2), 5, load=load_number)
    next(batches)
    next(batches)
    assert len(taken) <= 4 * 5
    batches.close()


def test_pictures_are_decoded_while_the_reader_is_busy():
    started = threading.Event()

    def load(source, size):
        if source == 5:  # the first of the second batch
            started.set()
        return np.zeros((*size, 3), np.uint8)

    batches = load_batches(range(10), (2, 2), 5, load=load)
    next(batches)
    assert started.wait(5)
    batches.close()


def test_an_error_that_is_no_refusal_is_not_hidden():
    def load(source, size):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(load_batches([1], (2, 2), 1, load=load))
