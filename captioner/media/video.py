"""Video files, decoded by FFmpeg through PyAV."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import av
from av.error import ArgumentError, FFmpegError

from captioner.errors import CaptionerError, unreadable
from captioner.media.alpha_decoder import alpha_decoder
from captioner.media.budget import return_freed_memory, wait_for_turn
from captioner.media.clip import LONGEST, Frame, too_long
from captioner.media.containers import (
    MAX_FRAME_PIXELS,
    missing_end,
    open_container,
    reason_of,
    stated_duration,
)
from captioner.media.film_frames import FrameConverter
from captioner.media.pixels import Size

_SEEK_GAIN = 1.0  # minimum seconds of decoding that a seek must save
_BLIND_SEEK = 10.0  # the same for a file without an index of its key frames
_LONGEST_LAST = 60.0  # maximum seconds of the last frame, unless an earlier one lasted longer
_UNSTATED_DURATION = 0.04
_LARGE = 10_000_000  # pixels of a frame larger than 4K, which a decoder needs up to 0.5 GB for


class Video:
    """The frames of a video file at requested times.

    The decoder decodes all frames between two requested times, or seeks to the last key frame
    before the second one if that saves enough time; only requested frames are converted to RGB,
    by `FrameConverter`. Memory use does not depend on the length of the video. Times are
    presentation times, so that variable frame rates need no special treatment.

    Args:
        name: Path of the file; see `open_container`.
        size: The same as for `load_image`, also with an antialiasing bicubic filter.

    Raises:
        CaptionerError: If the file is not a video that can be decoded.
    """

    def __init__(self, name: str, size: Size = None) -> None:
        self.name = name
        self._converter = FrameConverter(size)
        self._container, self._stream = open_container(name)
        self._decoder = alpha_decoder(self._stream)
        self._unit = float(self._stream.time_base or 0) or 1.0
        self._origin = (self._container.start_time or 0) / av.time_base
        self.duration = stated_duration(self._container, self._stream)
        self.end = 0.0
        self._failure: Exception | None = None
        self._large = self._stream.width * self._stream.height > _LARGE
        self._oversized = False
        self._longest_step = 0.0

    def close(self) -> None:
        """See `Footage`."""
        self._container.close()
        # The decoder and its frames stay in memory as long as there are references to them.
        self._container = self._stream = self._decoder = None
        if self._large:
            return_freed_memory()

    def frames(self, times: Iterable[float]) -> Iterator[Frame]:
        """See `Footage`."""
        if self._large:
            wait_for_turn()
        decoded = self._decode()
        shown, following, image = next(decoded, None), None, None
        if shown is None:
            raise self._no_frame()
        for asked in times:
            if asked > LONGEST:
                raise too_long(self.name)
            if self._shall_seek(self._time(following or shown), asked):
                decoded, first = self._seek(asked)
                shown, following, image = first or shown, None, None
            # A frame ends when the next one begins; its stated duration avoids decoding the next.
            while asked >= (self._time(following) if following else self._leaves(shown)):
                if following is not None:
                    step = self._time(following) - self._time(shown)
                    self._longest_step = max(self._longest_step, step)
                    shown, image = following, None
                following = next(decoded, None)
                if following is None:
                    break
            self.end = self._leaves(shown)
            if following is None and asked >= self.end:
                self._check_complete(self._time(shown) + self._stated_duration(shown))
                return
            if image is None:
                image = self._converter.convert(shown)
            yield Frame(asked, self._time(shown), image)

    def _seek(self, asked: float) -> tuple[Iterator[Any], Any]:
        # Without an index, as in a transport stream, a seek may end after its target.
        for back in (0.0, 5.0, 30.0, asked):
            # If the container cannot seek, decoding continues from the current position.
            with suppress(FFmpegError):
                self._container.seek(self._ticks(max(asked - back, 0.0)), stream=self._stream)
            if self._decoder:
                self._decoder.flush_buffers()
            decoded = self._decode()
            first = next(decoded, None)
            if first is not None and self._time(first) <= asked:
                break
        return decoded, first

    def _decode(self) -> Iterator[Any]:
        """Decode frame by frame, skipping damaged frames as players do."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError as error:
                self._failure = error
                return
            if packet is None:
                return
            # Without its key, an encrypted video sometimes decodes to noise.
            if packet.has_sidedata("encryption_info"):
                raise unreadable(self.name, "it is encrypted", "decrypt it first")
            try:
                frames = self._decoder.decode(packet) if self._decoder else packet.decode()
            except FFmpegError as error:
                self._failure = error
                # This is FFmpeg's error for frames over "max_pixels".
                self._oversized |= isinstance(error, ArgumentError)
                continue
            yield from (frame for frame in frames if frame.time is not None)

    def _shall_seek(self, position: float, asked: float) -> bool:
        if asked - position < _SEEK_GAIN:
            return False
        index = self._stream.index_entries
        found = index.search_timestamp(self._ticks(asked)) if len(index) else -1
        if found < 0:
            return asked - position > _BLIND_SEEK
        return index[found].timestamp * self._unit - self._origin > position + _SEEK_GAIN

    def _ticks(self, time: float) -> int:
        return int((time + self._origin) / self._unit)

    def _time(self, frame: Any) -> float:
        return float(frame.time) - self._origin

    def _leaves(self, frame: Any) -> float:
        # For a last frame, only the file states it: one kilobyte may state a thousand hours.
        stated = min(self._stated_duration(frame), max(self._longest_step, _LONGEST_LAST))
        return self._time(frame) + (stated or _UNSTATED_DURATION)

    def _stated_duration(self, frame: Any) -> float:
        return max(frame.duration or 0, 0) * float(frame.time_base or 0)

    def _no_frame(self) -> CaptionerError:
        if self._failure is None:
            return unreadable(self.name, "a video without a single frame", "record it again")
        if self._oversized:
            return self._too_large(self.name)
        reason = f"damaged or encrypted: {reason_of(self._failure)}"
        return unreadable(self.name, reason, "fetch it again, or decrypt it")

    def _too_large(self, what: str) -> CaptionerError:
        reason = f"frames over the limit of {MAX_FRAME_PIXELS} pixels, or without a valid size"
        return unreadable(what, reason, "scale the video down")

    def _check_complete(self, stated_end: float) -> None:
        if self._oversized:
            raise self._too_large(f"all of {self.name}")
        damaged = self._failure is not None
        stated = missing_end(self._container, self._stream, max(self.end, stated_end), damaged)
        if stated is not None:
            reason = f"it ends after {self.end:.1f} of {stated:.1f} seconds"
            if self._failure:
                reason += f": {reason_of(self._failure)}"
            raise unreadable(f"all of {self.name}", reason, "fetch it again")
