"""Frames of films that are turned, mirrored, interlaced or transparent."""

from fractions import Fraction

import av
import numpy as np
import pytest
from films import photos, write_film
from PIL import Image

from captioner.media.video import Video

# The matrices of the eight orientations of EXIF, by which Pillow turns a picture.
MATRICES = {
    1: (1, 0, 0, 1),
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, 1, -1, 0),
    7: (0, -1, -1, 0),
    8: (0, -1, 1, 0),
}
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def first(path, size=None):
    video = Video(str(path), size)
    image = next(video.frames([0.0])).image
    video.close()
    return image


@pytest.mark.parametrize("orientation", MATRICES)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_every_turn_and_mirror_of_the_display_matrix(orientation, suffix, tmp_path):
    a, b, c, d = MATRICES[orientation]
    picture = photos("coffee.jpg")[0]
    path = tmp_path / f"film{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5, options={"crf": "1"})
        stream.height, stream.width, stream.pix_fmt = 120, 160, "yuv420p"
        unit = 1 << 16
        stream.set_display_matrix([a * unit, b * unit, 0, c * unit, d * unit, 0, 0, 0, 1 << 30])
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())
    expected = Image.fromarray(picture)
    if orientation != 1:
        expected = expected.transpose(TURNS[orientation])
    found = first(path)
    assert found.shape == np.asarray(expected).shape
    assert np.abs(found - np.asarray(expected).astype(int)).mean() < 6
    small = first(path, (48, 60)).astype(int)
    resized = np.asarray(expected.resize((60, 48), Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(small - resized).mean() < 8


@pytest.mark.parametrize(
    ("name", "codec", "form"),
    [
        ("film.mov", "prores_ks", "yuva444p10le"),
        ("film.mov", "qtrle", "argb"),
        ("film.mov", "png", "rgba"),
        ("film.mkv", "ffv1", "bgra"),
        ("film.webm", "libvpx-vp9", "yuva420p"),
    ],
)
def test_transparent_pixels_lie_over_white(name, codec, form, tmp_path):
    picture = photos("rocket.jpg")[0]
    alpha = np.zeros((120, 160, 1), np.uint8)
    alpha[:, :48], alpha[:, 96:144] = 255, 128
    with av.open(str(tmp_path / name), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.height, stream.width, stream.pix_fmt = 120, 160, form
        if name.endswith(".webm"):
            stream.metadata["alpha_mode"] = "1"
        for number in range(30):
            rgba = np.concatenate([picture, alpha if number < 20 else alpha[:, ::-1]], 2)
            frame = av.VideoFrame.from_ndarray(rgba, format="rgba")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    expected = picture * (alpha / 255) + 255 * (1 - alpha / 255)
    video = Video(str(tmp_path / name), None)
    before, after = (frame.image.astype(float) for frame in video.frames([0.5, 2.5]))
    video.close()
    assert video.end == pytest.approx(2.6, abs=0.01)
    inside = np.r_[4:44, 52:92, 100:140, 148:156]  # away from edges, where colours are subsampled
    assert np.abs(before - expected)[:, inside].mean() < 8
    assert np.abs(before[:, 52:92] - 255).max() < 6
    expected = picture * (alpha[:, ::-1] / 255) + 255 * (1 - alpha[:, ::-1] / 255)
    inside = 159 - inside
    assert np.abs(after - expected)[:, inside].mean() < 8


@pytest.mark.parametrize(
    ("suffix", "codec", "options"),
    [(".mkv", "libx264", {"x264-params": "tff=1"}), (".mpg", "mpeg2video", {"flags": "+ilme"})],
)
def test_an_interlaced_film_has_no_comb(suffix, codec, options, tmp_path):
    """Two fields of an object that moves sideways show it in two places; we show it in one."""
    picture = photos("coffee.jpg", size=(320, 240))[0]
    first_field, second_field = picture, np.roll(picture, 24, axis=1)
    woven = first_field.copy()
    woven[1::2] = second_field[1::2]
    path = tmp_path / f"film{suffix}"
    with av.open(str(path), "w") as container:
        extra = {"b": "8000000"} if codec == "mpeg2video" else {"crf": "1"}
        stream = container.add_stream(codec, rate=25, options={**options, **extra})
        stream.height, stream.width, stream.pix_fmt = 240, 320, "yuv422p"
        if codec == "mpeg2video":
            stream.codec_context.flags |= 1 << 29 | 1 << 18
        stream.codec_context.time_base = Fraction(1, 25)
        for number in range(5):
            # With 4:2:0, the conversion would mix the colours of the two fields.
            frame = av.VideoFrame.from_ndarray(woven).reformat(
                format="yuv422p", interpolation="FAST_BILINEAR"
            )
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).interlaced_frame
    found = first(path).astype(int)
    assert found.shape == (240, 320, 3)

    def comb(image):  # how much a line differs from both its neighbours
        return np.abs(image[1:-1] - (image[:-2] + image[2:]) / 2).mean()

    assert comb(woven.astype(int)) > 8
    assert comb(found) < 2 * comb(picture.astype(int))
    small, expected = (
        np.asarray(Image.fromarray(image.astype(np.uint8)).resize((64, 48))).astype(int)
        for image in (found, picture)
    )
    assert np.abs(small - expected).mean() < 6


def test_a_progressive_film_keeps_every_line(tmp_path):
    picture = photos("coffee.jpg")[0]
    picture = picture.copy()
    picture[::2] = 255 - picture[::2]
    path = write_film(tmp_path / "film.mkv", [picture] * 3, crf="1")
    found = first(path).mean(-1)
    assert np.abs(np.diff(found, axis=0)).mean() > 60
