"""Beam search over any model that predicts one token at a time."""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from captioner.arrays import BestIds, BestLogProbs, Live, TokenIds, Totals, WordAttention
from captioner.engines.engine import State
from captioner.errors import CaptionerError
from captioner.search.candidates import Constraints, Step, best_allowed
from captioner.search.rules import TokenRules


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One complete sentence with its probability.

    Args:
        token_ids: Tokens, without the start and the end token.
        log_prob: Sum of the natural-log probabilities of the tokens and of the end token.
        score: `log_prob / (len(token_ids) + 1) ** length_power`, by which the search ranks;
            scores are comparable only for the same `length_power`.
        attention: Attention for each of the L tokens, float32 (L, T, P), over T frames and P
            locations; None if the model has no attention.

    Example:
        >>> Hypothesis(token_ids=(4, 7), log_prob=-1.5, score=-0.5).token_ids
        (4, 7)
    """

    token_ids: tuple[int, ...]
    log_prob: float
    score: float
    attention: WordAttention | None = field(default=None, compare=False, repr=False)


def beam_search(
    step: Step,
    state: State,
    *,
    start_id: int,
    end_id: int,
    beam_width: int = 3,
    max_length: int = 20,
    min_length: int = 1,
    length_power: float = 0.7,
    num_captions: int = 1,
    suppressed_ids: Sequence[int] = (),
    no_repeat_ngram: int = 0,
    joining_ids: Sequence[int] = (),
    no_double: bool = False,
    rules: TokenRules | None = None,
) -> list[list[Hypothesis]]:
    """Find the most probable sentences for each image of a batch.

    Each step extends every live hypothesis by every token and keeps the `beam_width` best of each
    image. A hypothesis that ends is complete and leaves the beam; its slot is free at the next
    step. The search for an image stops as soon as no live hypothesis can overtake the complete
    ones, which never changes the result. A hypothesis of `max_length` tokens also pays for the end
    token, so all results are complete sentences. With `beam_width=1` this is greedy search. Among
    equal scores, the hypothesis that ended first wins, then the one with the higher-ranked parent,
    then the one with the lower token id.

    Args:
        step: Decoder. It holds its data about the B images, one row per image, because the search
            reorders hypotheses only within an image. Finished images are not passed to it.
        state: State of the decoder before the first token, tuple of arrays, each (B, 1, ...).
        start_id: Token of the first step.
        end_id: Token that completes a sentence.
        beam_width: Number of hypotheses kept for each image, K.
        max_length: Maximum number of tokens in a sentence, without the end token.
        min_length: Minimum number of tokens in a sentence.
        length_power: Exponent of the length; the score of L tokens is `log_prob / (L + 1) **
            length_power`, including the end token. 0 compares log-probabilities and favours short
            sentences, 1 compares means per token. This is the power of Wu et al. 2016
            (arXiv:1609.08144, equation 14) without its constant 5.
        num_captions: Number of sentences returned for each image, at most `beam_width`.
        suppressed_ids: Tokens that are never produced, such as padding or the unknown word.
        no_repeat_ngram: Length n of token sequences that no sentence may contain twice; 0 for off.
        joining_ids: Tokens, such as "and", that never join a token to itself.
        no_double: If True, no token may occur twice in a row.
        rules: Further rules, for words of several tokens; None for none.

    Returns:
        For each of the B images, its `num_captions` best hypotheses, best first, all different;
        fewer (even none) if the beam found fewer sentences of nonzero probability.

    Raises:
        ValueError: If an option is out of its range.
        CaptionerError: If the model returned NaN.

    Example:
        >>> words = ["</s>", "a", "dog", "runs"]
        >>> table = np.log(  # (previous word, next word)
        ...     [
        ...         [0.1, 0.7, 0.1, 0.1],
        ...         [0.1, 0.1, 0.7, 0.1],
        ...         [0.5, 0.1, 0.1, 0.3],
        ...         [0.7, 0.1, 0.1, 0.1],
        ...     ]
        ... )
        >>> class Table:
        ...     vocabulary_size = len(words)
        ...
        ...     def __call__(self, token_ids, state, images, penalty, count):
        ...         log_probs = table[token_ids] + penalty
        ...         best = np.argsort(-log_probs, axis=2, kind="stable")[:, :, :count]
        ...         return best, np.take_along_axis(log_probs, best, axis=2), state, None
        >>> state = (np.zeros((1, 1)),)
        >>> for found in beam_search(Table(), state, start_id=0, end_id=0, num_captions=2)[0]:
        ...     sentence = " ".join(words[i] for i in found.token_ids)
        ...     print(f"{sentence}: {found.log_prob:.2f}, {found.score:.2f}")
        a dog: -1.41, -0.65
        a dog runs: -2.27, -0.86
    """
    _check_options(beam_width, max_length, min_length, length_power, num_captions)
    if end_id in suppressed_ids:
        raise ValueError(f"suppressed_ids contains the end token {end_id}: no sentence could end.")
    if not state or any(np.ndim(s) < 2 or np.shape(s)[1] != 1 for s in state):
        raise ValueError("state must contain arrays of shape (B, 1, ...), one row for each image.")
    constraints = Constraints(
        end_id,
        max_length,
        min_length,
        suppressed_ids,
        no_repeat_ngram,
        joining_ids,
        no_double,
        rules,
    )
    num_images = state[0].shape[0]
    images = np.arange(num_images)  # (R,), not finished yet; at first R = B
    state = tuple(np.repeat(s, beam_width, axis=1) for s in state)  # each (R, K, ...)
    token_ids = np.full((num_images, beam_width), start_id, np.int32)
    totals = np.full((num_images, beam_width), -np.inf)  # -inf: no live hypothesis in this slot
    totals[:, 0] = 0.0
    words = np.empty((num_images, beam_width, 0), np.int32)
    paths = np.empty((num_images, beam_width, 0), np.intp)  # the slot that chose each word
    attentions: list[dict[int, np.ndarray]] = []  # of each step: (K, T, P) by image
    finished: list[list[tuple[Hypothesis, np.ndarray]]] = [[] for _ in range(num_images)]

    for length in range(max_length + 1):
        if not len(images):
            break
        children, gains, state, attention = best_allowed(
            step, token_ids, state, images, words, beam_width, constraints
        )
        if attention is not None:
            copy = np.array(attention, np.float32)  # (R, K, T, P)
            attentions.append(dict(zip(images.tolist(), copy, strict=True)))
        totals, parents, token_ids = _best_continuations(totals, children, gains)  # each (R, K)
        rows = np.arange(len(images))[:, None]
        state = tuple(np.asarray(s)[rows, parents] for s in state)
        words, paths = words[rows, parents], paths[rows, parents]  # (R, K, length)

        ended = (token_ids == end_id) & np.isfinite(totals)
        for row, slot in np.argwhere(ended):
            log_prob = float(totals[row, slot])
            score = log_prob / (length + 1) ** length_power
            hypothesis = Hypothesis(tuple(words[row, slot].tolist()), log_prob, score)
            best = finished[images[row]]
            insort(best, (hypothesis, paths[row, slot]), key=lambda entry: -entry[0].score)
            del best[num_captions:]

        totals[ended] = -np.inf
        words = np.concatenate([words, token_ids[:, :, None]], axis=2)
        paths = np.concatenate([paths, parents[:, :, None]], axis=2)
        found = [finished[image] for image in images]
        live = _can_improve(totals, found, num_captions, max_length, length_power)  # (R,)
        if not live.all():
            images, totals, token_ids = images[live], totals[live], token_ids[live]
            words, paths, state = words[live], paths[live], tuple(s[live] for s in state)

    return [
        [_with_attention(hypothesis, image, path, attentions) for hypothesis, path in best]
        for image, best in enumerate(finished)
    ]


def _best_continuations(
    totals: Totals, children: BestIds, gains: BestLogProbs
) -> tuple[Totals, TokenIds, TokenIds]:
    """Choose the K best of K x M; return their totals, parents and tokens, each (R, K)."""
    num_images, beam_width, count = children.shape
    live = np.isfinite(totals)
    if np.isnan(gains[live]).any():
        raise CaptionerError(
            "The model returns NaN for the probability of the next word, so its weights are "
            "broken: load another preset, or train again from an earlier checkpoint."
        )
    candidates = np.where(live[:, :, None], totals[:, :, None] + gains, -np.inf)
    candidates = candidates.reshape(num_images, -1)  # (R, K * M), lower parents first
    order = np.argsort(-candidates, axis=1, kind="stable")[:, :beam_width]  # (R, K)
    token_ids = np.take_along_axis(children.reshape(num_images, -1), order, axis=1)
    return np.take_along_axis(candidates, order, axis=1), order // count, token_ids


def _can_improve(
    totals: Totals,
    finished: list[list[tuple[Hypothesis, np.ndarray]]],
    num_captions: int,
    max_length: int,
    length_power: float,
) -> Live:
    """Return for which images (R,) a live hypothesis can still reach the results."""
    # Further tokens only lower the log-probability, and its divisor grows with the length. In the
    # best case all of them are certain and the sentence is as long as allowed.
    attainable = totals.max(axis=1) / (max_length + 1) ** length_power
    worst = [best[-1][0].score if len(best) == num_captions else -np.inf for best in finished]
    return attainable > np.array(worst)


def _with_attention(
    hypothesis: Hypothesis, image: int, path: np.ndarray, attentions: list[dict[int, np.ndarray]]
) -> Hypothesis:
    if not attentions:
        return hypothesis
    maps = [attentions[position][image][slot] for position, slot in enumerate(path)]
    # (L, T, P), also for an empty sentence
    shape = (len(maps), *attentions[0][image].shape[1:])
    return replace(hypothesis, attention=np.array(maps, np.float32).reshape(shape))


def _check_options(
    beam_width: int, max_length: int, min_length: int, length_power: float, num_captions: int
) -> None:
    if beam_width < 1:
        raise ValueError(f"beam_width must be at least 1, not {beam_width}.")
    if not 1 <= num_captions <= beam_width:
        raise ValueError(
            f"num_captions must lie between 1 and beam_width ({beam_width}), not {num_captions}: "
            "a beam cannot return more sentences than it keeps."
        )
    if max_length < 1:
        raise ValueError(f"max_length must be at least 1 word, not {max_length}.")
    if not 0 <= min_length <= max_length:
        raise ValueError(
            f"min_length must lie between 0 and max_length ({max_length}), not {min_length}."
        )
    if not length_power >= 0:
        raise ValueError(f"length_power must not be negative, but is {length_power}.")
