"""The decoder for WebM with transparency, which FFmpeg's own decoders leave out."""

from typing import Any

import av

_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


def alpha_decoder(stream: Any) -> Any:
    """Return a decoder for a stream of VP8 or VP9 with an alpha channel.

    The alpha channel is a second video in the additional data of each block of the container,
    which FFmpeg's own decoders of VP8 and VP9 ignore and libvpx's decode.

    Args:
        stream: PyAV video stream.

    Returns:
        A PyAV `CodecContext`; None for other streams, and for all if this FFmpeg has no libvpx.
    """
    name = _DECODERS.get(stream.codec_context.name)
    stated = {key.lower(): value for key, value in stream.metadata.items()}
    if name not in av.codecs_available or stated.get("alpha_mode") != "1":
        return None
    try:
        decoder = av.CodecContext.create(name, "r")
    except (ValueError, av.FFmpegError):  # an encoder alone
        return None
    decoder.options = dict(stream.codec_context.options)
    return decoder
