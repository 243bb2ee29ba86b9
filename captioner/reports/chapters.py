"""A video's shots as a list of chapters in JSON, which players and web pages read."""

import json
from typing import TYPE_CHECKING, Any, BinaryIO

from captioner.errors import CaptionerError
from captioner.reports.row import SECONDS_DECIMALS

if TYPE_CHECKING:
    from captioner.results import Caption

_VERSION = "1.2.0"
_GAP = 0.05  # maximum seconds between consecutive shots


class ChapterWriter:
    r"""Writes the chapters of one video in the JSON format of the Podcast Namespace.

    A chapter is a shot, or several consecutive shots with the same sentence; shots without a
    confident sentence have none. A sentence about the whole video is the `description`. See
    https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/examples/chapters/jsonChapters.md

    Args:
        stream: Output stream.

    Example:
        >>> from io import BytesIO
        >>> from captioner.results import Caption
        >>> stream = BytesIO()
        >>> writer = ChapterWriter(stream)
        >>> writer.write("a.mp4", Caption("a dog", ("a", "dog"), -1.0, -0.6, span=(0.0, 2.5)), True)
        >>> writer.close()
        >>> print(stream.getvalue().decode())
        {
          "version": "1.2.0",
          "fileName": "a.mp4",
          "chapters": [
            {
              "startTime": 0.0,
              "endTime": 2.5,
              "title": "a dog"
            }
          ]
        }
        <BLANKLINE>
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._content: dict[str, Any] = {"version": _VERSION}
        self._chapters: list[dict[str, Any]] = []

    def write(self, path: str, result: "Caption | CaptionerError", last: bool = True) -> None:
        """See `Writer`; only the best caption is kept, and everything is written at the end."""
        if self._content.setdefault("fileName", path) != path:
            raise CaptionerError(
                "chapters can describe only one video: name one, or choose another format"
            )
        if isinstance(result, CaptionerError) or result.uncertain:
            return
        if result.span is None:
            if not self._chapters:
                raise CaptionerError(f"{path} is an image, which has no chapters: name a video")
            self._content["description"] = result.text
            return
        start, end = (round(time, SECONDS_DECIMALS) for time in result.span)
        before = self._chapters[-1] if self._chapters else None
        if before and before["title"] == result.text and start - before["endTime"] < _GAP:
            before["endTime"] = end
        else:
            self._chapters.append({"startTime": start, "endTime": end, "title": result.text})

    def close(self) -> None:
        """Write the list; see `Writer`."""
        content = {**self._content, "chapters": self._chapters}
        self._stream.write(json.dumps(content, ensure_ascii=False, indent=2).encode() + b"\n")
        self._stream.flush()
