"""Beam search over features, with the network that an engine runs."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from captioner.engines.engine import Engine
from captioner.search.beam import Hypothesis, beam_search
from captioner.search.candidates import Candidates, Shortlister, State
from captioner.search.word_rules import token_options
from captioner.text.vocabulary import Vocabulary


def search_captions(
    engine: Engine,
    vocabulary: Vocabulary,
    features: np.ndarray,
    frame_mask: np.ndarray | None = None,
    **options: Any,
) -> Sequence[Sequence[Hypothesis]]:
    """Find the best sentences for each of B clips.

    `<unk>` is never said; "and" never joins a word to itself ("a brown and brown dog"), which
    models that have learnt "a black and white dog" are prone to; and no word is said twice in a row
    ("a a child"), which people do in 8 of Flickr8k's 40,000 captions.

    Args:
        engine: It holds the network.
        vocabulary: The words of the decoder.
        features: float (B, T, P, C).
        frame_mask: bool (B, T), False for padding frames; None when there are none.
        options: Those of `beam_search`, lengths and n-grams counted in words also where tokens are
            pieces of them, and `never`: words that no sentence may contain. Words that the decoder
            does not know are of no account.

    Returns:
        For each clip its hypotheses, the best first.
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


class EngineStep(Shortlister):
    """The steps of an engine over one batch of clips.

    Args:
        engine: It holds the network.
        memory: Of the clips, as its `begin` gave it.
        clips: How many they are, B.
        vocabulary_size: Number of words.
    """

    def __init__(self, engine: Engine, memory: Any, clips: int, vocabulary_size: int) -> None:
        self.vocabulary_size = vocabulary_size
        self._engine = engine
        self._memory = memory
        self._images = np.arange(clips)  # those in the memory

    def shortlist(
        self,
        token_ids: np.ndarray,
        state: State,
        images: np.ndarray,
        penalty: np.ndarray,
        count: int,
    ) -> Candidates:
        """See `Shortlister`."""
        if len(images) < len(self._images):
            rows = np.searchsorted(self._images, images)
            self._memory, self._images = self._engine.select(self._memory, rows), images
        return self._engine.step(token_ids, state, self._memory, penalty, count)
