import os
from itertools import count

import av
import numpy as np
import pytest
from films import number_of, numbered, photos, write_film

from captioner.errors import CaptionerError
from captioner.media.video import Video


def frames_of(path, times, size=None):
    video = Video(str(path), size)
    try:
        return list(video.frames(times)), video
    finally:
        video.close()


def error_of(path):
    with pytest.raises(CaptionerError) as caught:
        frames_of(path, count())
    message = str(caught.value)
    assert message.startswith("cannot read ")
    assert str(path) in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("mp4", "libx264"), ("mkv", "libx264"), ("avi", "mpeg4"), ("ts", "libx264"), ("mov", "mjpeg")],
)
@pytest.mark.parametrize("gop", [5, 250])
def test_the_frame_on_screen_at_each_time(tmp_path, suffix, codec, gop):
    path = write_film(
        tmp_path / f"film.{suffix}", [numbered(i) for i in range(300)], codec=codec, gop=gop
    )
    times = [0.0, 0.05, 0.1, 0.31, 3.35, 14.95, 15.05, 29.0, 29.95, 30.5, 31.0]
    found, video = frames_of(path, times)
    numbers = [number_of(frame.image) for frame in found]
    assert numbers == [0, 0, 1, 3, 33, 149, 150, 290, 299]
    assert [frame.asked for frame in found] == times[:9]
    assert [frame.time for frame in found] == pytest.approx([n / 10 for n in numbers], abs=2e-3)
    assert video.end == pytest.approx(30, abs=0.01)
    assert found[0].image is found[1].image


def test_far_frames_are_reached_without_decoding_what_lies_between(tmp_path, monkeypatch):
    path = write_film(tmp_path / "film.mp4", [numbered(i) for i in range(600)], gop=10)
    decoded = []
    decode = Video._decode

    def counted(self, *args, **options):
        for frame in decode(self, *args, **options):
            decoded.append(frame.pts)
            yield frame

    monkeypatch.setattr(Video, "_decode", counted)
    found, _ = frames_of(path, [0.0, 12.34, 25.01, 50.59])
    assert [number_of(frame.image) for frame in found] == [0, 123, 250, 505]
    assert len(decoded) < 40


def test_a_variable_frame_rate(tmp_path):
    ticks = [0, 1, 2, 10, 11, 40, 41, 42]
    path = write_film(tmp_path / "film.mkv", [numbered(i) for i in range(8)], ticks=ticks)
    found, _ = frames_of(path, [k / 10 + 0.05 for k in range(42)])
    expected = [int(np.searchsorted(ticks, k, side="right")) - 1 for k in range(42)]
    assert [number_of(frame.image) for frame in found] == expected


@pytest.mark.parametrize("turn", [0, 90, 180, -90])
def test_rotation_metadata_is_applied(tmp_path, turn):
    image = photos("coffee.jpg")[0]  # (120, 160, 3)
    path = write_film(tmp_path / "film.mp4", [image], rotation=turn, crf="1")
    expected = np.rot90(image, turn // 90).astype(int)
    found = frames_of(path, [0.0])[0][0].image
    assert found.shape == expected.shape
    assert np.abs(found - expected).mean() < 6
    resized = frames_of(path, [0.0], size=(40, 50))[0][0].image
    assert resized.shape == (40, 50, 3)
    assert np.abs(resized.mean((0, 1)) - expected.mean((0, 1))).max() < 3


@pytest.mark.parametrize("height", [240, 720])
def test_colours_are_those_that_were_filmed(tmp_path, height):
    # PyAV encodes as BT.601 unless told; a film of that height that does not say so is BT.709.
    space = "ITU601" if height < 720 else "ITU709"
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [200, 180, 40]], np.uint8)
    image = np.repeat(colours[None], height, 0).repeat(80, 1)  # (height, 320, 3)
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5, options={"crf": "1"})
        stream.height, stream.width, stream.pix_fmt = height, 320, "yuv420p"
        frame = av.VideoFrame.from_ndarray(image)
        container.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace=space)))
        container.mux(stream.encode())
    found = frames_of(path, [0.0])[0][0].image[10, 40::80]
    assert np.abs(found.astype(int) - colours).max() < 12


def test_frames_are_resized_as_pictures_are(tmp_path):
    from PIL import Image

    image = photos("coffee.jpg", size=(640, 480))[0]
    path = write_film(tmp_path / "film.mp4", [image], crf="1")
    found = frames_of(path, [0.0], size=(96, 96))[0][0].image.astype(int)
    bicubic = np.asarray(Image.fromarray(image).resize((96, 96), Image.Resampling.BICUBIC))
    assert np.abs(found - bicubic).mean() < 5


def test_names_of_any_bytes(tmp_path):
    for name in (b"a:b,%d?.mp4", b"-.mp4", b"\xff.mp4", b"http:x.mp4"):
        path = os.fsdecode(bytes(tmp_path) + b"/" + name)
        (tmp_path / "film.mp4").exists() or write_film(tmp_path / "film.mp4", [numbered(5)])
        os.link(tmp_path / "film.mp4", path)
        assert number_of(frames_of(path, [0.0])[0][0].image) == 5


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "ts"])
def test_a_truncated_film_gives_what_is_left(tmp_path, suffix):
    fragments = {"movflags": "faststart"} if suffix == "mp4" else {}
    codec = "mpeg4" if suffix == "avi" else "libx264"
    path = write_film(
        tmp_path / f"film.{suffix}",
        [numbered(i) for i in range(200)],
        codec=codec,
        muxer=fragments,
    )
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    video = Video(str(path))
    numbers, error = [], None
    try:
        frames = video.frames(k / 10 + 0.05 for k in count())
        numbers.extend(number_of(frame.image) for frame in frames)
    except CaptionerError as caught:
        error = str(caught)
    # Of a last frame that is cut in two, the decoder shows the one before.
    assert numbers[:-1] == list(range(len(numbers) - 1))
    assert 80 < len(numbers) < 160
    if suffix == "ts":  # It does not say how long it is meant to be.
        assert error is None
    else:
        assert "it ends after" in error
        assert "of 20.0 seconds" in error


def test_what_is_no_film(tmp_path):
    sound, empty, text = tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "c.mp4"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert "audio without video" in error_of(sound)
    empty.write_bytes(b"")
    assert "not a video that FFmpeg can open" in error_of(empty)
    text.write_text("Dear diary, today I saw a dog.\n" * 50)
    error_of(text)
    assert "No such file" in error_of(tmp_path / "absent.mp4")


def test_a_film_without_frames(tmp_path):
    path = write_film(tmp_path / "film.avi", [numbered(i) for i in range(20)], codec="mpeg4")
    data = bytearray(path.read_bytes())
    start, end = data.index(b"movi") + 4, data.rindex(b"idx1")
    path.write_bytes(data[:start] + bytes(end - start))
    error_of(path)


def test_an_encrypted_film(tmp_path):
    path = write_film(
        tmp_path / "film.mp4",
        [numbered(i) for i in range(30)],
        muxer={
            "encryption_scheme": "cenc-aes-ctr",
            "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb",
            "encryption_kid": "a7e61c373e219033c21091fa607bf3b8",
        },
    )
    assert "it is encrypted" in error_of(path)
