"""Films whose every frame tells its own number, for the tests of this folder."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
_BITS = 10


def numbered(number: int, height: int = 64, width: int = 160) -> np.ndarray:
    """A frame (H, W, 3) with its number as a row of black and white bars."""
    bits = [255 * (number >> bit & 1) for bit in range(_BITS)]
    row = np.repeat(np.array(bits, np.uint8), width // _BITS)  # (W,)
    return np.broadcast_to(row[None, :, None], (height, width, 3)).copy()


def number_of(image: np.ndarray) -> int:
    """The number of a frame that `numbered` has drawn, at whatever size."""
    bars = np.array_split(image[image.shape[0] // 2].mean(-1), _BITS)
    return sum((bar.mean() > 128) << bit for bit, bar in enumerate(bars))


def write_film(
    path: Path,
    frames: list[np.ndarray],
    *,
    rate: int = 10,
    ticks: list[int] | None = None,
    codec: str = "libx264",
    rotation: int = 0,
    gop: int = 12,
    muxer: dict[str, str] | None = None,
    **options: str,
) -> Path:
    """Encodes frames; `ticks` are their times in 1/rate seconds, of which some may be left out."""
    with av.open(str(path), "w", options=muxer or {}) as container:
        stream = container.add_stream(codec, rate=rate, options={"g": str(gop), **options})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.time_base = Fraction(1, rate)
        if rotation:
            stream.set_display_rotation(rotation)
        for index, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image)
            frame.pts = ticks[index] if ticks else index
            frame.time_base = Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def repeat_film(path: Path, target: Path, times: int) -> Path:
    """Writes a film several times after itself, without decoding it."""
    with av.open(str(target), "w") as long:
        written = None
        for turn in range(times):
            with av.open(str(path)) as short:
                stream = short.streams.video[0]
                written = written or long.add_stream_from_template(stream)
                for packet in short.demux(stream):
                    if packet.dts is None:  # the last one, which is empty
                        continue
                    packet.pts += turn * stream.duration
                    packet.dts += turn * stream.duration
                    packet.stream = written
                    long.mux(packet)
    return target


def photos(*names: str, size: tuple[int, int] = (160, 120)) -> list[np.ndarray]:
    return [np.asarray(Image.open(SAMPLES / name).convert("RGB").resize(size)) for name in names]


def write_packets(
    path: Path, packets: list[bytes], *, ticks: list[int] | None = None, last: int = 1
) -> Path:
    """Writes JPEG files as frames at `ticks` of a tenth of a second; the last one stays `last`."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuvj420p"
        for index, data in enumerate(packets):
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, Fraction(1, 10)
            packet.pts = packet.dts = ticks[index] if ticks else index
            packet.duration = last if index == len(packets) - 1 else 1
            packet.is_keyframe = True
            container.mux(packet)
    return path
