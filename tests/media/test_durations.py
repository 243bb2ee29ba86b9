from fractions import Fraction
from itertools import count

import av
import numpy as np
import pytest
from films import number_of, numbered, write_film

from captioner.errors import CaptionerError
from captioner.media.video import Video

RATE = 8000  # of the sound


def write_with_sound(path, pictures, sound):
    """A film of so many tenths of a second of pictures, and so many of sound."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 160, 64, "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for tenth in range(max(pictures, sound)):
            if tenth < pictures:
                container.mux(video.encode(av.VideoFrame.from_ndarray(numbered(tenth))))
            if tenth < sound:
                frame = av.AudioFrame.from_ndarray(
                    np.zeros((1, RATE // 10), np.int16), "s16", "mono"
                )
                frame.sample_rate, frame.pts = RATE, tenth * RATE // 10
                frame.time_base = Fraction(1, RATE)
                container.mux(audio.encode(frame))
        container.mux(video.encode())
        container.mux(audio.encode())
    return path


def read(path, step=0.1):
    """The numbers of the frames at even steps, and the error after them."""
    video = Video(str(path))
    numbers = []
    try:
        frames = video.frames(k * step + 0.05 for k in count())
        numbers.extend(number_of(frame.image) for frame in frames)
    except CaptionerError as error:
        return numbers, str(error)
    finally:
        video.close()
    return numbers, None


@pytest.mark.parametrize("suffix", ["mkv", "avi", "mov"])
@pytest.mark.parametrize("tenths", [(60, 60), (30, 90), (90, 30)], ids=str)
def test_sound_and_pictures_may_be_of_different_lengths(tmp_path, suffix, tenths):
    path = write_with_sound(tmp_path / f"film.{suffix}", *tenths)
    assert read(path) == (list(range(tenths[0])), None)


@pytest.mark.parametrize("suffix", ["mkv", "avi"])
@pytest.mark.parametrize("step", [0.1, 1.5])
def test_a_cut_off_film_with_sound_is_told(tmp_path, suffix, step):
    path = write_with_sound(tmp_path / f"film.{suffix}", 100, 100)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    numbers, error = read(path, step)
    assert 3 <= len(numbers) < 60
    assert f"cannot read all of {path} (it ends after" in error
    assert "of 10.0 seconds" in error


@pytest.mark.parametrize("missing", [0.5, 3.0])
def test_rounding_is_no_damage(tmp_path, missing):
    """The duration in a Matroska header is made longer than the film."""
    path = write_film(tmp_path / "film.mkv", [numbered(i) for i in range(50)])
    data = path.read_bytes()
    stated = b"\x44\x89\x88"  # element Duration of eight bytes: a float of milliseconds
    at = data.index(stated) + len(stated)
    assert np.frombuffer(data[at : at + 8], ">f8")[0] == 5000
    longer = np.array(5000 + 1000 * missing, ">f8").tobytes()
    path.write_bytes(data[:at] + longer + data[at + 8 :])
    numbers, error = read(path)
    assert numbers == list(range(50))
    assert (error is None) == (missing < 1)
