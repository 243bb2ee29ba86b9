"""The road from clips to labels, in one page."""

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from keras import ops

from captioner.activity import Activity, make_activity
from captioner.engines.keras import compiled
from captioner.engines.precision import compute_policy
from captioner.errors import CaptionerError
from captioner.media.actions import read_action
from captioner.media.ahead import read_ahead
from captioner.media.clip import Clip
from captioner.media.sources import Source
from captioner.presets.activity import ActivityPreset, read_activity_preset
from captioner.presets.activity_network import load_activity_network


class ActivityClassifier:
    """Tells which of the activities that it knows a clip shows.

    Args:
        preset: As `read_activity_preset` gives it.
        precision: "auto", "bfloat16" or "float32".
        weights: A file of the VGG16 that the preset was trained with, in place of the one that it
            names.

    Example:
        >>> classifier = ActivityClassifier.from_preset("mine")  # doctest: +SKIP
        >>> classifier.classify("clip.mp4")[0].text  # doctest: +SKIP
        'wave'
    """

    def __init__(
        self, preset: ActivityPreset, precision: str = "auto", weights: str | None = None
    ) -> None:
        self.preset = preset
        self.labels = preset.labels
        network = load_activity_network(preset, compute_policy(precision), weights)
        self.image_size = network.frozen.image_size
        self.frames = preset.config["reading"]["frames"]
        self.shortest = network.recognizer.head.shortest

        def predict(frames: Any, frame_mask: Any) -> Any:
            features = network.frozen(frames)
            return network.recognizer({"frames": features, "frame_mask": frame_mask})

        self._predict = compiled(predict)

    @classmethod
    def from_preset(cls, name_or_folder: str | Path, **options: Any) -> "ActivityClassifier":
        """Loads a bundled preset by its name, or one of the user's by its folder.

        Raises:
            CaptionerError: If it is missing or damaged.
        """
        return cls(read_activity_preset(name_or_folder), **options)

    def classify(self, sources: Source | Sequence[Source], top: int = 1) -> list[Activity]:
        """Labels clips.

        Args:
            sources: One clip or a sequence of them: paths of videos, animations and folders of
                numbered frames, or `Clip` objects.
            top: Labels for each clip, the most probable as the `alternatives` of the first.

        Returns:
            The label of each clip, in order.

        Raises:
            CaptionerError: If a clip cannot be read.
        """
        several = isinstance(sources, Sequence) and not isinstance(sources, str | bytes)
        labelled = []
        for activity in self.stream(cast(Any, sources if several else [sources]), top):
            if isinstance(activity, CaptionerError):
                raise activity
            labelled.append(activity)
        return labelled

    def stream(
        self, sources: Iterable[Source], top: int = 1, timeout: float = math.inf
    ) -> Iterator[Activity | CaptionerError]:
        """Labels clips as they come, of which there may be any number.

        Args:
            sources: As for `classify`.
            top: As for `classify`.
            timeout: Seconds that reading one clip may take; then there is an error instead.

        Yields:
            For each clip its label, or the error that says why there is none.
        """
        for found in self.probabilities(sources, timeout):
            if isinstance(found, CaptionerError):
                yield found
                continue
            places = np.argsort(-found, kind="stable")[:top]
            yield make_activity([(self.labels[place], float(found[place])) for place in places])

    def probabilities(
        self, sources: Iterable[Source], timeout: float = math.inf
    ) -> Iterator[np.ndarray | CaptionerError]:
        """Yields for each clip float32 (K,), in the order of `labels`, or the error."""
        read = partial(read_action, size=self.image_size, **self.preset.config["reading"])
        for readings in read_ahead(read, sources, batch_size=1, workers=2, timeout=timeout):
            for reading in readings:
                clip = reading.clip
                yield clip if isinstance(clip, CaptionerError) else self._classify(clip)

    def _classify(self, clip: Clip) -> np.ndarray | CaptionerError:
        length = len(clip.frames)
        if length < self.shortest:
            return CaptionerError(
                f"{length} frame in this clip: this model sees by what moves, so it needs "
                f"{self.shortest} or more"
            )
        # All clips have one shape: one network is compiled.
        frames = np.zeros((1, self.frames, *clip.frames.shape[1:]), np.uint8)
        frames[0, :length] = clip.frames
        mask = np.arange(self.frames)[None] < length  # (1, T)
        found = self._predict(ops.convert_to_tensor(frames), ops.convert_to_tensor(mask))
        probabilities: np.ndarray = ops.convert_to_numpy(found)[0]
        return probabilities
