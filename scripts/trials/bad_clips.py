"""Odd and broken videos: files, and what is to come of each."""

import struct
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np

from trials.bad_images import CAPTION, EITHER, ERROR, Case, picture


def clip_cases() -> Iterator[Case]:
    """Yield every video of the corpus."""
    whole = film("mp4")
    yield "film.mp4", whole, CAPTION
    for form, codec, suffix in (
        ("matroska", "libx264", "mkv"), ("webm", "libvpx-vp9", "webm"), ("avi", "mpeg4", "avi"),
        ("mov", "libx264", "mov"), ("mpegts", "libx264", "ts"), ("ogg", "libtheora", "ogv"),
        ("asf", "mpeg4", "wmv"),
    ):  # fmt: skip
        if codec in av.codecs_available:
            content = film(form, codec)
            yield f"film.{suffix}", content, CAPTION
            yield f"{suffix}_named.jpg", content, CAPTION
            for share in (1, 3, 5, 7):
                yield f"cut_{share}.{suffix}", content[: len(content) * share // 8], EITHER
    for end in _box_ends(whole):
        yield f"cut_{end:06d}.mp4", whole[:end], EITHER
    fast = film("mp4", options={"movflags": "faststart"})
    for end in _box_ends(fast):
        yield f"cut_fast_{end:06d}.mp4", fast[:end], EITHER
    yield "one_frame.mp4", film("mp4", frames=1), CAPTION
    yield "no_frames.mp4", film("mp4", frames=0), ERROR
    yield "two_pixels.mp4", film("mp4", size=(2, 2)), CAPTION
    yield "alpha.mov", film("mov", "qtrle", pixels="argb"), CAPTION
    yield "ten_bits.mkv", film("matroska", "ffv1", pixels="yuv420p10le"), CAPTION
    hdr = {"color_primaries": "bt2020", "color_trc": "smpte2084", "colorspace": "bt2020nc"}
    yield "hdr.mkv", film("matroska", "ffv1", pixels="yuv420p10le", stream_options=hdr), CAPTION
    flags = {"flags": "+ildct+ilme", "x264-params": "tff=1"}
    yield "interlaced.mp4", film("mp4", stream_options=flags), CAPTION
    yield "changing.ts", film("mpegts", size=(64, 48)) + film("mpegts", size=(96, 32)), CAPTION
    yield "grey.avi", film("avi", "ffv1", pixels="gray"), CAPTION
    yield "sound.mp4", sound("mp4", "aac"), ERROR
    yield "sound.mkv", sound("matroska", "aac"), ERROR
    yield "sound.mp3", sound("mp3", "libmp3lame"), ERROR
    yield "cover.mp3", sound("mp3", "libmp3lame", cover=True), EITHER
    # Headers that promise what is not there.
    for name, box in (("mvhd", b"mvhd"), ("stts", b"stts"), ("stsz", b"stsz"), ("tkhd", b"tkhd")):
        for value in (0, 1, 2**31 - 1, 2**32 - 1):
            yield f"{name}_{value}.mp4", _overwrite(whole, box, value), EITHER
    rng = np.random.default_rng(3)
    for number in range(20):  # bytes that are turned over anywhere
        content = bytearray(whole)
        for place in rng.integers(0, len(content), 12):
            content[place] ^= int(rng.integers(1, 256))
        yield f"noise_{number:02d}.mp4", bytes(content), EITHER


def film(
    form: str,
    codec: str = "libx264",
    *,
    frames: int = 24,
    size: tuple[int, int] = (96, 64),
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    stream_options: dict[str, str] | None = None,
) -> bytes:
    """Encode a short video.

    Args:
        form: Of the container, as FFmpeg names it.
        codec: As FFmpeg names it.
        frames: How many, at 12 a second.
        size: Width and height in pixels.
        pixels: Format of the pixels, as FFmpeg names it.
        options: Of the container.
        stream_options: Of the encoder.
    """
    with (
        tempfile.NamedTemporaryFile() as file,
        av.open(file.name, "w", format=form, options=options or {}) as container,
    ):
        video = container.add_stream(codec, rate=12, options=stream_options or {})
        video.width, video.height = size
        video.pix_fmt = pixels
        for number in range(frames):
            image = picture(*size).rotate(number * 5)
            frame = av.VideoFrame.from_image(image).reformat(format=pixels)
            frame.pts, frame.time_base = number, Fraction(1, 12)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        container.close()
        return Path(file.name).read_bytes()


def sound(form: str, codec: str, cover: bool = False) -> bytes:
    """Encode a second of a tone, with the picture of a cover beside it or not."""
    stream = BytesIO()
    with av.open(stream, "w", format=form) as container:
        audio = container.add_stream(codec, rate=44_100)
        if cover:
            video = container.add_stream("mjpeg", rate=1)
            video.width, video.height, video.pix_fmt = 96, 64, "yuvj420p"
            frame = av.VideoFrame.from_image(picture()).reformat(format="yuvj420p")
            frame.pts, frame.time_base = 0, Fraction(1, 1)
            container.mux(video.encode(frame))
            container.mux(video.encode())
        wave = np.sin(np.arange(44_100) / 20).astype(np.float32)[None]
        samples = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        samples.sample_rate, samples.pts = 44_100, 0
        for packet in (*audio.encode(samples), *audio.encode()):
            container.mux(packet)
    return stream.getvalue()


def _box_ends(content: bytes) -> list[int]:
    """Where the boxes of an MP4 begin and end, two levels deep."""
    ends: set[int] = set()

    def walk(start: int, end: int, depth: int) -> None:
        while start + 8 <= end:
            length = int.from_bytes(content[start : start + 4])
            if length < 8:
                return
            ends.update((start + 4, start + 8, min(start + length // 2, end), start + length))
            if depth < 2 and content[start + 4 : start + 8] in (b"moov", b"trak"):
                walk(start + 8, start + length, depth + 1)
            start += length

    walk(0, len(content), 0)
    return sorted(end for end in ends if 0 < end < len(content))


def _overwrite(content: bytes, box: bytes, value: int) -> bytes:
    """Write a number over the counts and times of a box."""
    place = content.find(box) + 8
    return content[:place] + struct.pack(">III", value, value, value) + content[place + 12 :]
