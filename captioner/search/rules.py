"""Tokens that may not come next in a sentence."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from captioner.arrays import Cases, Penalty, Rows, Tokens


@runtime_checkable
class TokenRules(Protocol):
    """Rules about whole words, for tokens that may be part of a word; see `WordRules`."""

    def forbidden(self, tokens: Tokens) -> Cases:
        """Find the forbidden next tokens of each hypothesis.

        Args:
            tokens: The L tokens of each hypothesis so far, int (B, K, L).

        Returns:
            Image, hypothesis and token of each case, int (3, N).
        """
        ...


def penalty(
    vocabulary_size: int,
    length: int,
    *,
    end_id: int,
    max_length: int,
    min_length: int = 1,
    suppressed_ids: Sequence[int] = (),
) -> Penalty:
    """Return minus infinity for each token that is forbidden at this length, else 0.

    Args:
        vocabulary_size: Number of tokens, V.
        length: Number of tokens so far.
        end_id: End token.
        max_length: Maximum number of tokens; at this length, only the end token is allowed.
        min_length: Minimum number of tokens; below it, the end token is forbidden.
        suppressed_ids: Tokens that are never produced.

    Returns:
        Values to add to log-probabilities, float32 (V,).

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
    words: Tokens,
    no_repeat_ngram: int,
    joining_ids: Sequence[int] = (),
    no_double: bool = False,
    rules: TokenRules | None = None,
) -> tuple[Rows, Rows, Rows]:
    """Find tokens that would repeat an n-gram or the last token, or join a token to itself.

    Args:
        words: The L tokens of each hypothesis so far, int (B, K, L).
        no_repeat_ngram: Length n of n-grams that may not occur twice (Paulus et al. 2017,
            arXiv:1705.04304, section 2.5); 0 for off. The end token may always follow.
        joining_ids: Tokens, such as "and", that never join a token to itself.
        no_double: If True, no token may occur twice in a row.
        rules: Further rules; None for none.

    Returns:
        The image, the hypothesis and the token of each case, int (N,) each.
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


def _repeating_ngrams(words: Tokens, no_repeat_ngram: int) -> tuple[Rows, Rows, Rows]:
    length = words.shape[2]
    ngrams = np.lib.stride_tricks.sliding_window_view(words, no_repeat_ngram, axis=2)
    # (B, K, L-n+1, n); the last n-1 tokens begin an n-gram that the next token completes.
    begun = words[:, :, None, length - no_repeat_ngram + 1 :]  # (B, K, 1, n-1)
    seen = np.nonzero((ngrams[..., :-1] == begun).all(axis=3))
    return seen[0], seen[1], ngrams[..., -1][seen]
