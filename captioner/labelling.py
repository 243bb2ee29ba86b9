"""The head that labels clips with their most probable activity."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from captioner.engines.runtime import compute_policy, tensorflow_logs_hidden
from captioner.errors import CaptionerError
from captioner.media.actions import read_action
from captioner.media.clip import Clip
from captioner.media.sources import Source
from captioner.models.clip_features import pad_clips
from captioner.presets.storage import Preset
from captioner.results import Caption, Label


class LabelHead:
    """Head that assigns one of a preset's labels to each clip.

    Args:
        labels: K labels.
        predict: Function from frames uint8 (B, T, H, W, 3) and a frame mask bool (B, T) to
            probabilities float32 (B, K).
        reading: Options of `read_action`: size, frames, crop, trim.
        shortest: Minimum number of frames in a clip.
    """

    def __init__(
        self,
        labels: Sequence[str],
        predict: Callable[[np.ndarray, np.ndarray], np.ndarray],
        reading: dict[str, Any],
        shortest: int = 1,
    ) -> None:
        self.labels = labels
        self.reading = reading
        self.shortest = shortest
        self._predict = predict

    @classmethod
    def from_preset(cls, preset: Preset, precision: str, engine: str) -> "LabelHead":
        """Build the head of a preset."""
        if engine == "openvino":
            raise CaptionerError("an activity model runs only in Keras: leave the engine out")
        with tensorflow_logs_hidden():
            from keras import ops

            from captioner.engines.keras import compiled
            from captioner.presets.network import load_activity_network

        network = load_activity_network(preset, compute_policy(precision))

        def probabilities(frames: Any, frame_mask: Any) -> Any:
            features = network.frozen(frames)
            return network.recognizer({"frames": features, "frame_mask": frame_mask})

        graph = compiled(probabilities)

        def predict(frames: np.ndarray, frame_mask: np.ndarray) -> np.ndarray:
            found = graph(ops.convert_to_tensor(frames), ops.convert_to_tensor(frame_mask))
            return np.asarray(ops.convert_to_numpy(found))

        reading = {"size": network.frozen.image_size, **preset.config["reading"]}
        return cls(preset.labels, predict, reading, network.recognizer.head.shortest)

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width to which frames are stretched, in pixels."""
        size: tuple[int, int] = self.reading["size"]
        return size

    def read(self, source: Source, every: float | None) -> Iterator[Clip]:
        """Read a source as one clip."""
        return read_action(source, **self.reading)

    def describe(
        self, clips: Sequence[Clip], *, num_captions: int = 1
    ) -> list[Caption | CaptionerError]:
        """Assign the `num_captions` most probable labels to each clip."""
        return [self._label(clip, num_captions) for clip in clips]

    def _label(self, clip: Clip, count: int) -> Caption | CaptionerError:
        length = len(clip.frames)
        if length < self.shortest:
            return CaptionerError(
                f"{length} frame in this clip: this model recognizes motion, so it needs "
                f"{self.shortest} or more"
            )
        # All clips are padded to one shape, so that the network is compiled only once.
        (probabilities,) = self._predict(*pad_clips([clip.frames], self.reading["frames"]))
        return Label.from_probabilities(self.labels, probabilities, count)
