"""The best next words of each hypothesis: what a beam search asks of a model at each step."""

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
        """Return the probabilities of the next word.

        Args:
            token_ids: int32 (B, K), the previous word of each hypothesis.
            state: tuple of arrays, each (B, K, ...), opaque to the search.

        Returns:
            log_probs: float32 (B, K, V), natural-log probabilities of the next word.
            state: tuple of arrays, each (B, K, ...).
            attention: float32 (B, K, T, P), where the model looks for this word, or None.
        """
        ...


class Shortlister(ABC):
    """One step of a decoder that picks the best words itself.

    So no array of B x K x V words leaves the network, and images that are finished leave the batch.

    Attributes:
        vocabulary_size: Number of words, V.
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
        """Return the best next words.

        Args:
            token_ids: int32 (R, K), the previous word of each hypothesis.
            state: tuple of arrays, each (R, K, ...), opaque to the search.
            images: int (R,), which of the B images these are, in rising order; an image that was
                left out once does not come again.
            penalty: float32 (V,), to be added to the log-probabilities: 0 or minus infinity.
            count: M, how many words.

        Returns:
            words: int (R, K, M), the best first, of equals the lower.
            log_probs: float32 (R, K, M), with the penalty.
            state: tuple of arrays, each (R, K, ...).
            attention: float32 (R, K, T, P) or None.
        """


@dataclass(frozen=True)
class Constraints:
    """What a sentence may not say; see `constrain`."""

    end_id: int
    max_length: int
    min_length: int
    suppressed_ids: Sequence[int]
    no_repeat_ngram: int
    joining_ids: Sequence[int] = ()
    no_double: bool = False
    rules: TokenRules | None = None


class ShortlistedCandidates:
    """The allowed candidates among those that a `Shortlister` gives.

    What no hypothesis may say is ruled out within the network. A word that only one hypothesis may
    not say, since it would repeat something, is struck from a list that is longer by as many words.
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
        """As `RowCandidates`."""
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
    """The candidates out of whole rows of log-probabilities, as a `StepFunction` gives them."""

    def __init__(self, step: StepFunction, constraints: Constraints) -> None:
        self._step = step
        self._constraints = constraints
        self._whole: list[np.ndarray] = []  # what the step read last, for all B images

    def __call__(
        self,
        token_ids: np.ndarray,
        state: State,
        images: np.ndarray,
        words: np.ndarray,
        count: int,
    ) -> Candidates:
        """Return the best allowed next words.

        Args:
            token_ids: int32 (R, K), the previous word of each hypothesis.
            state: tuple of arrays, each (R, K, ...).
            images: int (R,), which of the B images these are; at first all of them.
            words: int32 (R, K, L), what each hypothesis says so far.
            count: M, how many words; fewer where the vocabulary is smaller.

        Returns:
            words (R, K, M), log_probs (R, K, M), state and attention, as `Shortlister` does.
        """
        if not self._whole:
            self._whole = [token_ids, *state]
        for whole, part in zip(self._whole, (token_ids, *state), strict=True):
            whole[images] = part
        log_probs, state, attention = self._step(self._whole[0], tuple(self._whole[1:]))
        self._whole[1:] = [np.array(part) for part in state]
        log_probs = np.array(log_probs, np.float32)[images]  # a copy: constraints write in it
        constrain(log_probs, words, **vars(self._constraints))
        # No parent has more than K children among the K best. K times argmax finds them faster than
        # a partition while K is small, and takes the lower token id of two equals.
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
