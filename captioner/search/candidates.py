"""The best next tokens of each hypothesis, at each step of a beam search."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from captioner.arrays import Attention, BestIds, BestLogProbs, Penalty, Rows, TokenIds, Tokens
from captioner.engines.engine import State
from captioner.search.rules import TokenRules, penalty, repeating

Candidates = tuple[BestIds, BestLogProbs, State, Attention | None]


@runtime_checkable
class Step(Protocol):
    """One step of a decoder, which selects the best tokens itself.

    Thus no array of size B x K x V leaves the network, and finished images leave the batch.

    Attributes:
        vocabulary_size: Number of tokens, V.
    """

    vocabulary_size: int

    def __call__(
        self, token_ids: TokenIds, state: State, images: Rows, penalty: Penalty, count: int
    ) -> Candidates:
        """Return the best next tokens.

        Args:
            token_ids: Previous token of each hypothesis, int32 (R, K).
            state: Tuple of arrays, each (R, K, ...), opaque to the search.
            images: Indices of the rows among the B images, int (R,), ascending; an image that
                is left out once does not return.
            penalty: Values added to the log-probabilities, float32 (V,): 0 or minus infinity.
            count: Number of tokens, M, at most V.

        Returns:
            words: Tokens, int (R, K, M), the best first; among equals, the lower first.
            log_probs: Their natural-log probabilities with the penalty, float32 (R, K, M).
            state: Tuple of arrays, each (R, K, ...).
            attention: Attention for the next token, float32 (R, K, T, P), or None.
        """
        ...


@dataclass(frozen=True)
class Constraints:
    """Constraints on sentences; see `beam_search`."""

    end_id: int
    max_length: int
    min_length: int
    suppressed_ids: Sequence[int]
    no_repeat_ngram: int
    joining_ids: Sequence[int] = ()
    no_double: bool = False
    rules: TokenRules | None = None


def best_allowed(
    step: Step,
    token_ids: TokenIds,
    state: State,
    images: Rows,
    words: Tokens,
    count: int,
    constraints: Constraints,
) -> Candidates:
    """Return the best allowed next tokens.

    Tokens that are forbidden for all hypotheses are excluded within the network. For tokens that
    are forbidden for single hypotheses, as repetitions, the list is longer by their number, and
    they are then removed.

    Args:
        step: Decoder.
        token_ids: See `Step`.
        state: See `Step`.
        images: See `Step`.
        words: Tokens of each hypothesis so far, int32 (R, K, L).
        count: Number of tokens, M; fewer if the vocabulary is smaller.
        constraints: Constraints on the sentences.
    """
    size, length = step.vocabulary_size, words.shape[2]
    shared = penalty(
        size,
        length,
        end_id=constraints.end_id,
        max_length=constraints.max_length,
        min_length=constraints.min_length,
        suppressed_ids=constraints.suppressed_ids,
    )
    rows, slots, repeated = (
        repeating(
            words,
            constraints.no_repeat_ngram,
            constraints.joining_ids,
            constraints.no_double,
            constraints.rules,
        )
        if length < constraints.max_length
        else np.zeros((3, 0), np.intp)
    )
    struck = np.bincount(rows * words.shape[1] + slots).max(initial=0)
    children, gains, state, attention = step(
        token_ids, state, images, shared, min(count + int(struck), size)
    )
    if struck:
        gains = np.array(gains)
        case, place = np.nonzero(children[rows, slots] == repeated[:, np.newaxis])
        gains[rows[case], slots[case], place] = -np.inf
        order = np.argsort(-gains, axis=2, kind="stable")
        children = np.take_along_axis(children, order, axis=2)
        gains = np.take_along_axis(gains, order, axis=2)
    return children[:, :, :count], gains[:, :, :count], state, attention
