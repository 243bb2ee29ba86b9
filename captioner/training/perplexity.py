"""Perplexity of a decoder on the captions of the validation split, by keras-nlp."""

from collections.abc import Iterable, Sequence
from functools import cached_property

import keras
import numpy as np
from keras import ops

from captioner.datasets.dataset import Example
from captioner.engines.keras import compiled
from captioner.models.clip_features import pad_clips
from captioner.models.decoder import Decoder
from captioner.text.vocabulary import Vocabulary

_BATCH = 20  # images; their logits take about 35 MB


class CaptionPerplexity:
    """Measures how well a decoder predicts each next word of human captions (teacher forcing).

    Perplexity is the exponential of the cross entropy per word, without label smoothing and
    dropout: the number of equally likely words that would be as hard to choose from. Unlike the
    training loss, it is measured on held-out images; unlike CIDEr, it can rank early epochs, which
    do not write a whole sentence correctly yet.

    Args:
        decoder: A built decoder.
        vocabulary: Vocabulary of the decoder; other words count as `<unk>`.
        captions_per_image: Number of captions that are read of an image, at most.
        max_length: Number of words that are read of a caption, at most.

    Source: Jelinek, Mercer, Bahl and Baker 1977, "Perplexity: a measure of the difficulty of speech
    recognition tasks"; `keras_nlp.metrics.Perplexity`.
    """

    def __init__(
        self, decoder: Decoder, vocabulary: Vocabulary, captions_per_image: int, max_length: int
    ) -> None:
        self._vocabulary = vocabulary
        self._shape = (captions_per_image, max_length + 1)

        def logits(features: object, token_ids: object, frame_mask: object) -> object:
            return decoder(features, token_ids, frame_mask=frame_mask)  # (B, N, L, V)

        self._logits = compiled(logits)

    @cached_property
    def _metric(self) -> keras.Metric:
        """The metric, built when it is first needed: of several workers, only the chief has it."""
        # keras_nlp imports much of TensorFlow's text processing, which captioning does not need.
        from keras_nlp.metrics import Perplexity

        return Perplexity(from_logits=True, mask_token_id=self._vocabulary.pad_id, dtype="float32")

    def measure(self, batches: Iterable[tuple[Sequence[Example], Sequence[np.ndarray]]]) -> float:
        """Measure the perplexity.

        Args:
            batches: Batches of examples, with the features (T, P, C) of each example.
        """
        self._metric.reset_state()
        for examples, clips in batches:
            for start in range(0, len(examples), _BATCH):
                token_ids = self._token_ids(examples[start : start + _BATCH])  # (B, N, L + 1)
                features, mask = pad_clips(clips[start : start + _BATCH])
                logits = self._logits(
                    ops.convert_to_tensor(features),
                    ops.convert_to_tensor(token_ids[:, :, :-1]),
                    ops.convert_to_tensor(mask),
                )
                self._metric.update_state(token_ids[:, :, 1:], logits)
        return float(self._metric.result())

    def _token_ids(self, examples: Sequence[Example]) -> np.ndarray:
        known = self._vocabulary
        token_ids = np.full((len(examples), *self._shape), known.pad_id, np.int32)
        for row, example in enumerate(examples):
            for number, words in enumerate(example.tokens[: self._shape[0]]):
                sentence = [known.start_id, *known.encode(words), known.end_id][: self._shape[1]]
                token_ids[row, number, : len(sentence)] = sentence
        return token_ids
