import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from films import photos, repeat_film, write_film
from hypothesis import given, settings
from hypothesis import strategies as st

from captioner.errors import CaptionerError
from captioner.media.ahead import read_ahead
from captioner.media.clip import Clip


def read(source):
    """Sources are lists: of a clip's number of frames, or None for where the file breaks off."""
    for frames in source:
        if frames is None:
            raise CaptionerError("broken")
        yield Clip(np.zeros((frames, 1, 1, 3), np.uint8), np.arange(frames))


sources = st.lists(st.lists(st.integers(1, 5), max_size=4).flatmap(
    lambda clips: st.just([*clips, None]) if not clips else st.sampled_from([clips, [*clips, None]])
))  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(sources=sources, batch_size=st.integers(1, 8), workers=st.integers(1, 3))
def test_everything_comes_once_in_order(sources, batch_size, workers):
    batches = list(read_ahead(read, sources, batch_size, workers))
    found = [
        (
            reading.index,
            None if isinstance(reading.clip, CaptionerError) else len(reading.clip.frames),
            reading.last,
        )
        for batch in batches
        for reading in batch
    ]
    assert found == [
        (index, frames, place == len(source) - 1)
        for index, source in enumerate(sources)
        for place, frames in enumerate(source)
    ]
    for batch in batches:
        sizes = [0 if isinstance(r.clip, CaptionerError) else len(r.clip.frames) for r in batch]
        assert len(batch) == 1 or (sum(sizes) <= batch_size and len(batch) <= batch_size)


def test_endless_sources_are_read_only_as_far_as_needed_and_let_go():
    taken, made = [], []

    def endless():
        while True:
            taken.append(1)
            yield len(taken)

    def film(number):
        while True:
            made.append(number)
            yield Clip(np.zeros((4, 1, 1, 3), np.uint8), np.arange(4))

    before = threading.active_count()
    batches = read_ahead(film, endless(), batch_size=8, workers=2)
    for _ in range(5):
        assert len(next(batches)) == 2
    time.sleep(0.3)
    assert len(taken) <= 11
    assert len(made) < 25
    batches.close()
    assert threading.active_count() == before


def test_decoding_goes_on_while_the_network_works():
    started = threading.Event()

    def film(number):
        if number == 1:
            started.set()
        yield Clip(np.zeros((1, 1, 1, 3), np.uint8), np.zeros(1))

    batches = read_ahead(film, [0, 1, 2], batch_size=1)
    next(batches)
    assert started.wait(5)  # although only the first was asked for


def test_a_bug_is_no_error_of_the_users():
    def broken(source):
        raise ZeroDivisionError
        yield

    with pytest.raises(ZeroDivisionError):
        list(read_ahead(broken, [1, 2], batch_size=4))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads its peak of memory from /proc")
def test_memory_does_not_grow_with_the_length_of_a_film(tmp_path):
    dog, coffee = photos("dog.jpg", "coffee.jpg", size=(1920, 1080))
    short = write_film(tmp_path / "1.mp4", [dog] * 20 + [coffee] * 20, rate=2, preset="ultrafast")
    long = repeat_film(short, tmp_path / "10.mp4", 10)  # 200 seconds
    code = """
import sys
from captioner.media.ahead import read_ahead
from captioner.media.sources import read_clips
def read(path):
    return read_clips(path, (224, 224), every=float(sys.argv[2]) or None)
batches = list(map(len, read_ahead(read, [sys.argv[1]], 16)))
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(sum(batches), int(peak.split()[1]) / 1024)
"""

    def clips_and_peak(path, every):
        command = [sys.executable, "-c", code, path, every]
        count, peak = subprocess.run(command, capture_output=True, check=True).stdout.split()
        return int(count), float(peak)  # MiB

    for every, clips in (("0", 2), ("5", 4)):  # 0: one clip a shot
        count, peak = clips_and_peak(short, every)
        long_count, long_peak = clips_and_peak(long, every)
        assert (count, long_count) == (clips, 10 * clips)
        assert long_peak - peak < 30


def test_a_source_that_takes_too_long_is_an_error_and_the_others_are_read():
    """Even where every thread meets such a source."""
    stuck = threading.Event()

    def read_slowly(source):
        if source == "slow.jpg":
            stuck.wait()
        yield Clip(np.zeros((1, 1, 1, 3), np.uint8), np.arange(1))

    names = ["slow.jpg", "a.jpg", "slow.jpg", "slow.jpg", "b.jpg"]
    batches = read_ahead(read_slowly, names, batch_size=1, workers=2, timeout=0.2)
    found = [reading.clip for batch in batches for reading in batch]
    stuck.set()
    assert [isinstance(clip, CaptionerError) for clip in found] == [n == "slow.jpg" for n in names]
    assert "cannot read slow.jpg (it takes longer than 0.2 seconds)" in str(found[0])


def test_a_film_that_stops_in_the_middle_keeps_what_was_read():
    stuck = threading.Event()

    def read_half(source):
        for _ in range(2):  # the second waits to be marked as the last, or not
            yield Clip(np.zeros((1, 1, 1, 3), np.uint8), np.arange(1))
        stuck.wait()

    readings = [r for batch in read_ahead(read_half, [0], 1, timeout=0.2) for r in batch]
    stuck.set()
    assert [r.last for r in readings] == [False, True]
    assert isinstance(readings[1].clip, CaptionerError)
