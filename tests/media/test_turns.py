import threading
from time import sleep

import numpy as np
import pytest
from films import write_film
from memory import run_measured

from captioner.media.ahead import read_ahead
from captioner.media.budget import wait_for_turn
from captioner.media.clip import Clip


def test_sources_that_wait_for_their_turn_are_read_one_by_one():
    lock, at_once, most = threading.Lock(), 0, 0

    def read(number):
        nonlocal at_once, most
        if number % 2:
            wait_for_turn()
            with lock:
                at_once, most = at_once + 1, max(most, at_once + 1)
        for time in range(5):  # more than may wait in the queue
            sleep(0.001)
            yield Clip(np.full((1, 2, 2, 3), number, np.uint8), np.array([time]))
        if number % 2:
            with lock:
                at_once -= 1

    readings = [reading for batch in read_ahead(read, range(30), 4) for reading in batch]
    assert [reading.clip.frames[0, 0, 0, 0] for reading in readings] == sorted([*range(30)] * 5)
    assert most <= 2  # The last clip of one is handed over before its reader ends.


def test_waiting_readers_end_when_the_reading_is_given_up():
    def read(number):
        wait_for_turn()
        yield Clip(np.zeros((1, 2, 2, 3), np.uint8), np.zeros(1))

    batches = read_ahead(read, range(100), 1)
    next(batches)
    batches.close()  # which waits for the threads
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


@pytest.mark.slow
def test_videos_over_4k_are_decoded_one_by_one(tmp_path):
    images = [np.full((4320, 6400, 3), level, np.uint8) for level in (40, 80)]
    path = write_film(tmp_path / "film.mp4", images * 3, preset="ultrafast")
    code = """
        import sys
        from functools import partial
        from captioner.media.ahead import read_ahead
        from captioner.media.sources import read_clips
        read = partial(read_clips, size=(224, 224))
        print(sum(len(batch) for batch in read_ahead(read, sys.argv[1:], 16)))
    """
    _, _, alone = run_measured(code, path)
    _, _, four = run_measured(code, *[path] * 4)
    assert four < alone + 200  # What is looked at to open them, four at once.
