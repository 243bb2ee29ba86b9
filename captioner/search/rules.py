"""What a sentence may not say, written into the log-probabilities of its next word."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np


class TokenRules(Protocol):
    """Rules over whole words, where a token may be less than a word; see `WordRules`."""

    def forbidden(self, tokens: np.ndarray) -> np.ndarray:
        """Find the tokens with which hypotheses may not go on.

        Args:
            tokens: int (B, K, L), the L tokens that each hypothesis has so far.

        Returns:
            int (3, N): image, hypothesis and token of each such case.
        """
        ...


def constrain(
    log_probs: np.ndarray,
    words: np.ndarray,
    *,
    end_id: int,
    max_length: int,
    min_length: int = 1,
    suppressed_ids: Sequence[int] = (),
    no_repeat_ngram: int = 0,
    joining_ids: Sequence[int] = (),
    no_double: bool = False,
    rules: TokenRules | None = None,
) -> None:
    """Set the log-probability of every forbidden next word to minus infinity, in place.

    Args:
        log_probs: float (B, K, V), changed in place; it is not normalised again, so that the
            log-probability of a sentence stays the model's own.
        words: int (B, K, L), the L words that each hypothesis has so far.
        end_id: the end token; a repeated n-gram never forbids it.
        max_length: with this many words, the end token is the only choice left.
        min_length: with fewer words, the end token is forbidden.
        suppressed_ids: words that are never said.
        no_repeat_ngram: n forbids the word that would complete an n-gram a second time
            (Paulus et al. 2017, arXiv:1705.04304, section 2.5); 0 forbids nothing.
        joining_ids: words, such as "and", that never join a word to itself.
        no_double: whether no word may be said twice in a row.
        rules: further ones; None for none.

    Example:
        >>> log_probs = np.zeros((1, 1, 5))
        >>> words = np.array([[[3, 4, 3]]])
        >>> constrain(log_probs, words, end_id=0, max_length=9, no_repeat_ngram=2)
        >>> log_probs
        array([[[  0.,   0.,   0.,   0., -inf]]])
    """
    log_probs += penalty(
        log_probs.shape[2],
        words.shape[2],
        end_id=end_id,
        max_length=max_length,
        min_length=min_length,
        suppressed_ids=suppressed_ids,
    )
    if words.shape[2] < max_length:
        struck = repeating(words, no_repeat_ngram, joining_ids, no_double, rules)
        log_probs[struck] = -np.inf


def penalty(
    vocabulary_size: int,
    length: int,
    *,
    end_id: int,
    max_length: int,
    min_length: int = 1,
    suppressed_ids: Sequence[int] = (),
) -> np.ndarray:
    """Minus infinity for each word that no sentence of so many words may go on with, else 0.

    Args:
        vocabulary_size: number of words, V.
        length: words said so far.
        end_id: the end token.
        max_length: as for `constrain`.
        min_length: as for `constrain`.
        suppressed_ids: as for `constrain`.

    Returns:
        float32 (V,), to be added to log-probabilities.

    Example:
        >>> penalty(4, 0, end_id=2, max_length=9, min_length=1, suppressed_ids=(0,))
        array([-inf,   0., -inf,   0.], dtype=float32)
    """
    added = np.zeros(vocabulary_size, np.float32)
    if length == max_length:
        added[:] = -np.inf
        added[end_id] = 0.0
        return added
    if length < min_length:
        added[end_id] = -np.inf
    added[list(suppressed_ids)] = -np.inf
    return added


def repeating(
    words: np.ndarray,
    no_repeat_ngram: int,
    joining_ids: Sequence[int] = (),
    no_double: bool = False,
    rules: TokenRules | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the next words that would repeat an n-gram or the last word, or join a word to itself.

    Args:
        words: int (B, K, L), the L words that each hypothesis has so far.
        no_repeat_ngram: n; 0 forbids nothing.
        joining_ids: as for `constrain`.
        no_double: as for `constrain`.
        rules: as for `constrain`.

    Returns:
        The image, the hypothesis and the word of each such case, int (N,) each.
    """
    length = words.shape[2]
    cases = [np.zeros((3, 0), np.intp)]
    if joining_ids and length >= 2:
        image, slot = np.nonzero(np.isin(words[:, :, -1], joining_ids))
        cases.append(np.stack([image, slot, words[image, slot, -2]]))
    if no_double and length:
        image, slot = np.indices(words.shape[:2]).reshape(2, -1)
        cases.append(np.stack([image, slot, words[image, slot, -1]]))
    if 0 < no_repeat_ngram <= length:
        cases.append(np.stack(_repeating_ngrams(words, no_repeat_ngram)))
    if rules is not None:
        cases.append(rules.forbidden(words))
    image, slot, word = np.concatenate(cases, axis=1)
    return image, slot, word


def _repeating_ngrams(
    words: np.ndarray, no_repeat_ngram: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    length = words.shape[2]
    ngrams = np.lib.stride_tricks.sliding_window_view(words, no_repeat_ngram, axis=2)
    # (B, K, L-n+1, n); the last n-1 words begin an n-gram that the next word completes.
    begun = words[:, :, None, length - no_repeat_ngram + 1 :]  # (B, K, 1, n-1)
    seen = np.nonzero((ngrams[..., :-1] == begun).all(axis=3))
    return seen[0], seen[1], ngrams[..., -1][seen]
