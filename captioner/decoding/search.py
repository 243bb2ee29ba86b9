"""Beam search over features, with the network that an engine runs."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from captioner.decoding.beam import beam_search
from captioner.decoding.hypothesis import Hypothesis
from captioner.text.vocabulary import Vocabulary


def search_captions(
    engine: Any,
    vocabulary: Vocabulary,
    features: np.ndarray,
    frame_mask: np.ndarray | None = None,
    **options: Any,
) -> Sequence[Sequence[Hypothesis]]:
    """Finds the best sentences for each of B clips; `<unk>` is never said.

    Args:
        engine: A `KerasEngine`, or another with its `begin` and `step`.
        vocabulary: The words of the decoder.
        features: float (B, T, P, C).
        frame_mask: bool (B, T), False for padding frames; None when there are none.
        options: Those of `beam_search`.

    Returns:
        For each clip its hypotheses, the best first.
    """
    if frame_mask is None:
        frame_mask = np.ones(features.shape[:2], bool)
    memory, state = engine.begin(features, frame_mask)

    def step(token_ids: np.ndarray, state: tuple[np.ndarray, ...]) -> Any:
        return engine.step(token_ids, state, memory)

    return beam_search(
        step,
        state,
        start_id=vocabulary.start_id,
        end_id=vocabulary.end_id,
        suppressed_ids=(vocabulary.pad_id, vocabulary.start_id, vocabulary.unk_id),
        **options,
    )
