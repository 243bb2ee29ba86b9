import os
import socket
import threading
from time import monotonic, sleep

import numpy as np
import pytest
from pictures import MARKED, encode

from captioner.errors import CaptionerError
from captioner.media import image_files
from captioner.media.containers import open_container
from captioner.media.files import find_media
from captioner.media.image import load_image
from captioner.media.sources import read_clips

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes are of POSIX")
PNG = encode(MARKED, "PNG")


def error_of(name):
    with pytest.raises(CaptionerError) as caught:
        list(read_clips(name, (8, 8)))
    return str(caught.value)


def test_what_is_no_file_in_a_folder_has_an_error_and_does_not_hang(tmp_path):
    (tmp_path / "1.png").write_bytes(PNG)
    os.mkfifo(tmp_path / "2.jpg")
    (tmp_path / "3.jpg").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "4.jpg"))
        began = monotonic()
        found = list(find_media([tmp_path]))
        assert len(found) == 4
        assert "(a pipe to which nothing was written for 2 seconds)" in error_of(found[1])
        assert "(a device or socket, not a file): name an image" in error_of(found[2])
        assert "(a device or socket, not a file): name an image" in error_of(found[3])
        assert monotonic() - began < 10


def test_a_pipe_whose_writer_is_slow(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write():
        sleep(0.3)
        with pipe.open("wb", buffering=0) as file:
            for start in range(0, len(PNG), 20):
                sleep(0.02)
                file.write(PNG[start : start + 20])

    writer = threading.Thread(target=write)
    writer.start()
    assert np.array_equal(load_image(pipe), MARKED)
    writer.join()


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [
        ("_DATA_WAIT", 0.2, "nothing was written"),
        ("MOST_PIPED", 2**21, "a pipe with more than 2 MiB"),
    ],
)
def test_a_pipe_that_never_ends(tmp_path, monkeypatch, setting, value, reason):
    monkeypatch.setattr(image_files, setting, value)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    done = threading.Event()

    def write():
        with pipe.open("wb", buffering=0) as file:
            try:
                while setting == "MOST_PIPED":
                    file.write(bytes(2**16))
            except BrokenPipeError:
                pass
            done.wait(10)

    writer = threading.Thread(target=write)
    writer.start()
    assert reason in error_of(pipe)
    done.set()
    writer.join()


def test_a_video_is_not_read_from_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "a.mp4")
    with pytest.raises(CaptionerError, match="not a regular file"):
        open_container(str(tmp_path / "a.mp4"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "~/x.jpg",
            "(no such file: the shell expands ~ only outside quotes): write /home/me/x.jpg",
        ),
        ("file:///tmp/a%20b.jpg", "(a URL, not a path): write /tmp/a b.jpg"),
        ("https://example.org/x.jpg", "(a URL: nothing is fetched from the network): give --fetch"),
        ("RTSP://camera/1", "(a URL: nothing is fetched from the network): download it"),
        ("none.jpg", "(no such file): check the path"),
        ("a:b.jpg", "(no such file): check the path"),
    ],
)
def test_names_that_are_no_paths(monkeypatch, name, expected):
    monkeypatch.setenv("HOME", "/home/me")
    assert list(find_media([name])) == [name]
    assert error_of(name).startswith(f"cannot read {name} {expected}")
