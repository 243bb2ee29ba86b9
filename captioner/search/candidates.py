"""The best next tokens of each hypothesis, at each step of a beam search."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from captioner.search.rules import TokenRules, constrain, penalty, repeating

State = tuple[np.ndarray, ...]
Candidates = tuple[np.ndarray, np.ndarray, State, np.ndarray | None]


class StepFunction(Protocol):
    """One step of a decoder, for K hypotheses of each of B images."""

    def __call__(
        self, token_ids: np.ndarray, state: State
    ) -> tuple[np.ndarray, State, np.ndarray | None]:
        """Return the probabilities of the next token.

        Args:
            token_ids: Previous token of each hypothesis, int32 (B, K).
            state: Tuple of arrays, each (B, K, ...), opaque to the search.

        Returns:
            log_probs: Natural-log probabilities of the next token, float32 (B, K, V).
            state: Tuple of arrays, each (B, K, ...).
            attention: Attention for the next token, float32 (B, K, T, P), or None.
        """
        ...


class Shortlister(ABC):
    """One step of a decoder that selects the best tokens itself.

    Thus no array of size B x K x V leaves the network, and finished images leave the batch.

    Attributes:
        vocabulary_size: Number of tokens, V.
    """

    vocabulary_size: int

    @abstractmethod
    def shortlist(
        self,
        token_ids: np.ndarray,
        state: State,
        images: np.ndarray,
        penalty: np.ndarray,
        count: int,
    ) -> Candidates:
        """Return the best next tokens.

        Args:
            token_ids: Previous token of each hypothesis, int32 (R, K).
            state: Tuple of arrays, each (R, K, ...), opaque to the search.
            images: Indices of the rows among the B images, int (R,), ascending; an image that
                is left out once does not return.
            penalty: Values added to the log-probabilities, float32 (V,): 0 or minus infinity.
            count: Number of tokens, M.

        Returns:
            words: Tokens, int (R, K, M), the best first; among equals, the lower first.
            log_probs: Their log-probabilities with the penalty, float32 (R, K, M).
            state: Tuple of arrays, each (R, K, ...).
            attention: float32 (R, K, T, P) or None.
        """


@dataclass(frozen=True)
class Constraints:
    """Constraints on sentences; see `constrain`."""

    end_id: int
    max_length: int
    min_length: int
    suppressed_ids: Sequence[int]
    no_repeat_ngram: int
    joining_ids: Sequence[int] = ()
    no_double: bool = False
    rules: TokenRules | None = None


class ShortlistedCandidates:
    """The allowed candidates among those of a `Shortlister`.

    Tokens that are forbidden for all hypotheses are excluded within the network. For tokens that
    are forbidden for single hypotheses, as repetitions, the list is longer by their number, and
    they are then removed.
    """

    def __init__(self, step: Shortlister, constraints: Constraints) -> None:
        self._step = step
        self._constraints = constraints

    def __call__(
        self,
        token_ids: np.ndarray,
        state: State,
        images: np.ndarray,
        words: np.ndarray,
        count: int,
    ) -> Candidates:
        """Return the best allowed next tokens; see `RowCandidates`."""
        rules = self._constraints
        size = self._step.vocabulary_size
        length = words.shape[2]
        shared = penalty(
            size,
            length,
            end_id=rules.end_id,
            max_length=rules.max_length,
            min_length=rules.min_length,
            suppressed_ids=rules.suppressed_ids,
        )
        rows, slots, repeated = (
            repeating(words, rules.no_repeat_ngram, rules.joining_ids, rules.no_double, rules.rules)
            if length < rules.max_length
            else np.zeros((3, 0), np.intp)
        )
        struck = np.bincount(rows * words.shape[1] + slots).max(initial=0)
        children, gains, state, attention = self._step.shortlist(
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


class RowCandidates:
    """The allowed candidates from full rows of log-probabilities of a `StepFunction`."""

    def __init__(self, step: StepFunction, constraints: Constraints) -> None:
        self._step = step
        self._constraints = constraints
        self._whole: list[np.ndarray] = []  # last inputs of the step, for all B images

    def __call__(
        self,
        token_ids: np.ndarray,
        state: State,
        images: np.ndarray,
        words: np.ndarray,
        count: int,
    ) -> Candidates:
        """Return the best allowed next tokens.

        Args:
            token_ids: Previous token of each hypothesis, int32 (R, K).
            state: Tuple of arrays, each (R, K, ...).
            images: Indices of the rows among the B images, int (R,); at first all.
            words: Tokens of each hypothesis so far, int32 (R, K, L).
            count: Number of tokens, M; fewer if the vocabulary is smaller.

        Returns:
            Tokens (R, K, M), log_probs (R, K, M), state and attention, as for `Shortlister`.
        """
        if not self._whole:
            self._whole = [token_ids, *state]
        for whole, part in zip(self._whole, (token_ids, *state), strict=True):
            whole[images] = part
        log_probs, state, attention = self._step(self._whole[0], tuple(self._whole[1:]))
        self._whole[1:] = [np.array(part) for part in state]
        log_probs = np.array(log_probs, np.float32)[images]  # a copy, which is changed
        constrain(log_probs, words, **vars(self._constraints))
        # No parent has more than K children among the K best. For small K, K calls of argmax are
        # faster than a partition, and of two equals they select the lower token id.
        children = np.empty((*token_ids.shape, min(count, log_probs.shape[2])), np.int32)
        gains = np.empty(children.shape)
        for rank in range(children.shape[2]):
            best = log_probs.argmax(axis=2)[:, :, None]  # (R, K, 1)
            children[:, :, rank] = best[:, :, 0]
            gains[:, :, rank] = np.take_along_axis(log_probs, best, axis=2)[:, :, 0]
            np.put_along_axis(log_probs, best, -np.inf, axis=2)
        return (
            children,
            gains,
            tuple(np.asarray(part)[images] for part in state),
            None if attention is None else np.asarray(attention)[images],
        )
