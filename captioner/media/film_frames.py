"""Conversion of decoded video frames to upright RGB images as VGG16 knows them."""

from typing import Any

import av
import av.filter
import numpy as np
from av.sidedata.sidedata import SideDataContainer

from captioner.media.pixels import Size, target_size
from captioner.media.tone_mapping import HLG, PQ, tone_map

_UNSTATED = 2  # ISO/IEC 23091-2, matrix coefficients
_HD = 720  # lines from which BT.709 is assumed, below it BT.601


class FrameConverter:
    """Converts the frames of one video to upright RGB.

    An interlaced frame gives one of its two fields, which show different moments; HDR is tone
    mapped; transparent pixels lie over white, as in images; and the display matrix, rotation and
    mirror, is applied.

    Args:
        size: The same as for `load_image`, with an antialiasing bicubic filter.
    """

    def __init__(self, size: Size = None) -> None:
        self._size = size
        self._field: tuple[tuple[int, int, str], Any] | None = None

    def convert(self, frame: Any) -> np.ndarray:
        """Return a frame as RGB, uint8 (H, W, 3).

        Args:
            frame: Decoded PyAV `VideoFrame`.
        """
        height, width = frame.height, frame.width
        height, width = target_size(self._size, height, width) or (height, width)
        matrix = display_matrix(frame)
        if isinstance(self._size, tuple) and is_transposed(matrix):
            height, width = width, height
        unstated = frame.colorspace == _UNSTATED
        usual = "ITU709" if frame.height >= _HD else "ITU601"
        if frame.interlaced_frame:
            frame = self._one_field(frame)
        if any(component.is_alpha for component in frame.format.components):
            frame, unstated = _over_white(frame, usual if unstated else None), False
        transfer = frame.color_trc
        is_hdr = transfer in (PQ, HLG)
        if is_hdr:
            usual = "BT2020"
        image = frame.reformat(
            width=width,
            height=height,
            format="rgb48le" if is_hdr else "rgb24",
            src_colorspace=usual if unstated else None,
            interpolation="BICUBIC",
        ).to_ndarray()  # (H, W, 3)
        if is_hdr:
            image = tone_map(image, transfer)
        return np.ascontiguousarray(turn(image, matrix))

    def _one_field(self, frame: Any) -> Any:
        kind = (frame.width, frame.height, frame.format.name)
        if self._field is None or self._field[0] != kind:
            graph, unit = av.filter.Graph(), frame.time_base
            nodes = (
                graph.add_buffer(width=kind[0], height=kind[1], format=kind[2], time_base=unit),
                graph.add("field", "type=top"),
                graph.add("buffersink"),
            )
            graph.link_nodes(*nodes).configure()
            self._field = kind, graph
        graph = self._field[1]
        graph.vpush(frame)
        return graph.vpull()


def _over_white(frame: Any, colorspace: str | None) -> Any:
    rgba = frame.reformat(format="rgba", src_colorspace=colorspace).to_ndarray()  # (H, W, 4)
    alpha = rgba[..., 3:].astype(np.uint16)
    # At most 255 * 255 + 127, which fits.
    mixed = (rgba[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255
    return av.VideoFrame.from_ndarray(mixed.astype(np.uint8), format="rgb24")


def display_matrix(frame: Any) -> np.ndarray:
    """Return how a frame is shown, int (2, 2).

    Args:
        frame: Decoded PyAV `VideoFrame`.

    Returns:
        The upper left part of the matrix of ISO/IEC 14496-12, 6.2.2: a row vector of column and
        row, times this matrix, is the position on the screen. The unit matrix if there is none.
    """
    # `frame.side_data` would be kept by the frame that it refers to, so that each frame stayed in
    # memory until the next run of the garbage collector.
    data = SideDataContainer(frame).get("DISPLAYMATRIX")  # type: ignore[call-arg]  # as its stub
    if data is None:
        return np.eye(2, dtype=int)
    matrix = np.frombuffer(bytes(data), np.int32, 9).reshape(3, 3)[:2, :2].astype(int)
    return matrix if matrix.any() else np.eye(2, dtype=int)


def is_transposed(matrix: np.ndarray) -> bool:
    """Return True if the columns of a frame are shown as rows."""
    return bool(abs(matrix[0, 1]) + abs(matrix[1, 0]) > abs(matrix[0, 0]) + abs(matrix[1, 1]))


def turn(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Apply a display matrix, rounded to multiples of 90 degrees, to an image.

    Args:
        image: Image (H, W, 3).
        matrix: Matrix of `display_matrix`.

    Returns:
        A view of the image, (H, W, 3) or (W, H, 3).

    Example:
        >>> letters = np.array([["a", "b"], ["c", "d"]])[..., np.newaxis]
        >>> mirror, rotate = np.array([[-1, 0], [0, 1]]), np.array([[0, -1], [1, 0]])
        >>> turn(letters, mirror)[..., 0].tolist(), turn(letters, rotate)[..., 0].tolist()
        ([['b', 'a'], ['d', 'c']], [['b', 'd'], ['a', 'c']])
    """
    if is_transposed(matrix):
        image = image.transpose(1, 0, 2)
        down, right = matrix[0, 1], matrix[1, 0]  # where former columns and rows go
    else:
        down, right = matrix[1, 1], matrix[0, 0]
    return image[:: -1 if down < 0 else 1, :: -1 if right < 0 else 1]
