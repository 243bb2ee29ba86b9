"""The road from pictures to sentences, in one page."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from captioner.caption import Caption
from captioner.decoding.hypothesis import Hypothesis
from captioner.decoding.search import search_captions
from captioner.errors import CaptionerError
from captioner.media.batches import load_batches
from captioner.media.image import ImageSource
from captioner.presets.engine import build_engine
from captioner.presets.storage import DEFAULT_PRESET, Preset, read_preset, write_preset
from captioner.text.tokenizer import join_words


class Captioner:
    """Describes pictures.

    Args:
        preset: The trained captioner, as `read_preset` gives it.
        precision: "auto", "bfloat16" or "float32".
        engine: "openvino", "keras", or "auto": OpenVINO, which starts fast and runs on the CPU,
            where it is installed and the preset has its graphs. A GPU is for Keras.

    Example:
        >>> captioner = Captioner.from_preset()
        >>> caption = captioner.generate("data/samples/cat.jpg")[0]
        >>> caption.words == tuple(caption.text.split())
        True
    """

    def __init__(self, preset: Preset, precision: str = "auto", engine: str = "auto") -> None:
        self.preset = preset
        self.vocabulary = preset.vocabulary
        self.engine = build_engine(preset, engine, precision)
        self.image_size = self.engine.image_size

    @classmethod
    def from_preset(
        cls,
        name_or_folder: str | Path = DEFAULT_PRESET,
        precision: str = "auto",
        engine: str = "auto",
    ) -> "Captioner":
        """Loads a bundled preset by its name, or one of the user's by its folder.

        Raises:
            CaptionerError: If it is missing or damaged.
        """
        return cls(read_preset(name_or_folder), precision, engine)

    def save_to_preset(self, folder: str | Path) -> None:
        """Writes the captioner as a preset that `from_preset` reads."""
        write_preset(folder, self.preset)

    def generate(
        self, images: ImageSource | Sequence[ImageSource], **options: Any
    ) -> list[Caption]:
        """Describes pictures.

        Args:
            images: One picture or a sequence of them, each a path, bytes, a PIL image or an array.
            options: Those of `stream`.

        Returns:
            The best caption of each picture, in order; `num_captions` more than one gives it
            `alternatives`.

        Raises:
            CaptionerError: If a picture cannot be read.
        """
        # An array or bytes are sequences to Python, and one picture to us.
        several = isinstance(images, Sequence) and not isinstance(images, str | bytes)
        captions = []
        for result in self.stream(cast(Any, images if several else [images]), **options):
            if isinstance(result, CaptionerError):
                raise result
            captions.append(result)
        return captions

    def stream(
        self,
        images: Iterable[ImageSource],
        *,
        batch_size: int = 32,
        num_captions: int = 1,
        **search_options: Any,
    ) -> Iterator[Caption | CaptionerError]:
        """Describes pictures as they come, of which there may be any number.

        Args:
            images: As for `generate`.
            batch_size: Pictures that go through the network together.
            num_captions: Sentences for each picture.
            search_options: Those of `beam_search` that shall differ from the preset's:
                beam_width, max_length, min_length, length_power, no_repeat_ngram.

        Yields:
            For each picture its caption, or the error that says why there is none.
        """
        options = {**self.preset.config["generation"], **search_options}
        options["beam_width"] = max(options["beam_width"], num_captions)
        for batch in load_batches(images, self.image_size, batch_size):
            results: dict[int, Caption | CaptionerError] = {
                index: CaptionerError(reason) for index, reason in batch.errors.items()
            }
            if batch.indices:
                frames = batch.images[:, np.newaxis]  # (B, T=1, H, W, 3)
                features = self.engine.encode(frames)  # (B, T, P, C)
                found = search_captions(
                    self.engine, self.vocabulary, features, num_captions=num_captions, **options
                )
                captions = map(self._caption, found)
                results.update(zip(batch.indices, captions, strict=True))
            yield from (results[index] for index in sorted(results))

    def _caption(self, hypotheses: Sequence[Hypothesis]) -> Caption | CaptionerError:
        if not hypotheses:
            return CaptionerError("no sentence is possible under these options: relax them")
        best, *others = map(self._read, hypotheses)
        return replace(best, alternatives=tuple(others))

    def _read(self, hypothesis: Hypothesis) -> Caption:
        words = tuple(self.vocabulary.decode(hypothesis.token_ids))
        return Caption(
            text=join_words(words),
            words=words,
            log_prob=hypothesis.log_prob,
            score=hypothesis.score,
            attention=hypothesis.attention,
        )
