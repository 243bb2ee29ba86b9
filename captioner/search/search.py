"""Beam search over features, with the network of an engine."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from captioner.arrays import Features, FrameMask, Penalty, Rows, TokenIds
from captioner.engines.engine import Engine, State
from captioner.search.beam import Hypothesis, beam_search
from captioner.search.candidates import Candidates
from captioner.search.word_rules import token_options
from captioner.text.vocabulary import Vocabulary


def search_captions(
    engine: Engine,
    vocabulary: Vocabulary,
    features: Features,
    frame_mask: FrameMask | None = None,
    **options: Any,
) -> Sequence[Sequence[Hypothesis]]:
    """Find the best sentences for each of B clips.

    Sentences do not contain `<unk>`; "and" never joins a word to itself ("a brown and brown dog"),
    to which models that have learned "a black and white dog" are prone; and no word occurs twice in
    a row ("a a child"), as in only 8 of the 40,000 human captions of Flickr8k.

    Args:
        engine: Engine that runs the network.
        vocabulary: Vocabulary of the decoder.
        features: float (B, T, P, C).
        frame_mask: bool (B, T), False for padding frames; None if there are none.
        options: Options of `beam_search`, with lengths and n-grams in words even if tokens are
            subwords; and `never`: words that no sentence may contain. Words outside the vocabulary
            are ignored.

    Returns:
        The hypotheses of each clip, the best first.
    """
    if frame_mask is None:
        frame_mask = np.ones(features.shape[:2], bool)
    memory, state = engine.begin(features, frame_mask)
    return beam_search(
        EngineStep(engine, memory, len(features), len(vocabulary)),
        state,
        start_id=vocabulary.start_id,
        end_id=vocabulary.end_id,
        **token_options(vocabulary, options),
    )


class EngineStep:
    """The steps of an engine over one batch of clips.

    Args:
        engine: Engine that runs the network.
        memory: Memory of the clips from the engine's `begin`.
        clips: Number of clips, B.
        vocabulary_size: Number of tokens.
    """

    def __init__(self, engine: Engine, memory: Any, clips: int, vocabulary_size: int) -> None:
        self.vocabulary_size = vocabulary_size
        self._engine = engine
        self._memory = memory
        self._images = np.arange(clips)  # indices of the clips in the memory

    def __call__(
        self, token_ids: TokenIds, state: State, images: Rows, penalty: Penalty, count: int
    ) -> Candidates:
        """See `Step`."""
        if len(images) < len(self._images):
            rows = np.searchsorted(self._images, images)
            self._memory, self._images = self._engine.select(self._memory, rows), images
        return self._engine.step(token_ids, state, self._memory, penalty, count)
