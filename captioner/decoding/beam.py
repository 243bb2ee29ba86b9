"""Beam search over any model that speaks one word at a time."""

from bisect import insort
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from captioner.decoding.constraints import constrain
from captioner.decoding.hypothesis import Hypothesis
from captioner.errors import CaptionerError

State = tuple[np.ndarray, ...]


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


def beam_search(
    step: StepFunction,
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
) -> list[list[Hypothesis]]:
    """Find the most probable sentences for each image of a batch.

    Each step extends every live hypothesis by every word and keeps the `beam_width` best of each
    image. One that ends is complete and leaves the beam; its place is free again at the next step.
    The search for an image stops as soon as no live hypothesis can overtake its complete ones,
    which never changes the result. A hypothesis that reaches `max_length` pays for the end token
    like any other, so all results are complete sentences. With `beam_width=1` this is
    greedy search. Of equals, the one that ended first wins, then the one whose parent ranks
    higher, then the one with the lower token id.

    Args:
        step: the decoder; what it knows of the B images stays in it, one row an image, for the
            search only ever reorders hypotheses within an image.
        state: the decoder's state before the first word, tuple of arrays, each (B, 1, ...).
        start_id: the token fed at the first step.
        end_id: the token that completes a sentence.
        beam_width: K, hypotheses kept for each image.
        max_length: most words in a sentence, the end token not counted.
        min_length: fewest words in a sentence.
        length_power: a sentence of L words scores `log_prob / (L + 1) ** length_power`, the end
            token counted. 0 compares plain log-probabilities and favours short sentences, 1
            compares means per token. This is the power of Wu et al. 2016 (arXiv:1609.08144,
            equation 14) without its constant 5.
        num_captions: sentences returned for each image, at most `beam_width`.
        suppressed_ids: tokens never produced, such as padding or the unknown word.
        no_repeat_ngram: n forbids a sentence to contain the same n words in a row twice; 0: off.

    Returns:
        For each of the B images its `num_captions` best hypotheses, best first, all different;
        fewer (even none) where the beam found fewer sentences of nonzero probability.

    Raises:
        ValueError: an option lies outside its range.
        CaptionerError: the model returned NaN.

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
        >>> def step(token_ids, state):
        ...     return table[token_ids], state, None
        >>> state = (np.zeros((1, 1)),)
        >>> for found in beam_search(step, state, start_id=0, end_id=0, num_captions=2)[0]:
        ...     sentence = " ".join(words[i] for i in found.token_ids)
        ...     print(f"{sentence}: {found.log_prob:.2f}, {found.score:.2f}")
        a dog: -1.41, -0.65
        a dog runs: -2.27, -0.86
    """
    _check_options(beam_width, max_length, min_length, length_power, num_captions)
    if end_id in suppressed_ids:
        raise ValueError(f"suppressed_ids holds the end token {end_id}: no sentence could end.")
    if not state or any(np.ndim(s) < 2 or np.shape(s)[1] != 1 for s in state):
        raise ValueError("state must hold arrays of shape (B, 1, ...), one row for each image.")
    num_images = state[0].shape[0]
    images = np.arange(num_images)[:, None]  # (B, 1)
    state = tuple(np.repeat(s, beam_width, axis=1) for s in state)  # each (B, K, ...)
    token_ids = np.full((num_images, beam_width), start_id, np.int32)
    totals = np.full((num_images, beam_width), -np.inf)  # -inf: no hypothesis lives in this slot
    totals[:, 0] = 0.0
    words = np.empty((num_images, beam_width, 0), np.int32)
    paths = np.empty((num_images, beam_width, 0), np.intp)  # the slot that chose each word
    attentions: list[np.ndarray] = []
    finished: list[list[tuple[Hypothesis, np.ndarray]]] = [[] for _ in range(num_images)]

    for length in range(max_length + 1):
        if not np.isfinite(totals).any():
            break
        log_probs, state, attention = step(token_ids, state)
        if attention is not None:
            attentions.append(np.array(attention, np.float32))  # (B, K, T, P)
        log_probs = np.array(log_probs, np.float32)  # (B, K, V), a copy: constraints write in it
        constrain(
            log_probs,
            words,
            end_id=end_id,
            max_length=max_length,
            min_length=min_length,
            suppressed_ids=suppressed_ids,
            no_repeat_ngram=no_repeat_ngram,
        )
        totals, parents, token_ids = _best_continuations(totals, log_probs)  # each (B, K)
        state = tuple(np.asarray(s)[images, parents] for s in state)
        words, paths = words[images, parents], paths[images, parents]  # (B, K, length)

        ended = (token_ids == end_id) & np.isfinite(totals)
        for image, slot in np.argwhere(ended):
            log_prob = float(totals[image, slot])
            score = log_prob / (length + 1) ** length_power
            hypothesis = Hypothesis(tuple(words[image, slot].tolist()), log_prob, score)
            best = finished[image]
            insort(best, (hypothesis, paths[image, slot]), key=lambda entry: -entry[0].score)
            del best[num_captions:]

        totals[ended] = -np.inf
        totals[_cannot_improve(totals, finished, num_captions, max_length, length_power)] = -np.inf
        words = np.concatenate([words, token_ids[:, :, None]], axis=2)
        paths = np.concatenate([paths, parents[:, :, None]], axis=2)

    return [
        [_with_attention(hypothesis, image, path, attentions) for hypothesis, path in best]
        for image, best in enumerate(finished)
    ]


def _best_continuations(
    totals: np.ndarray, log_probs: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Choose the K best of K x V; returns their totals, parents and words, each (B, K)."""
    num_images, beam_width, vocabulary_size = log_probs.shape
    # No parent has more than K children among the K best. K times argmax finds them faster than a
    # partition while K is small, and takes the lower token id of two equals.
    children = np.empty((num_images, beam_width, min(beam_width, vocabulary_size)), np.int32)
    gains = np.empty(children.shape)
    for rank in range(children.shape[2]):
        best = log_probs.argmax(axis=2)[:, :, None]  # (B, K, 1)
        children[:, :, rank] = best[:, :, 0]
        gains[:, :, rank] = np.take_along_axis(log_probs, best, axis=2)[:, :, 0]
        np.put_along_axis(log_probs, best, -np.inf, axis=2)
    live = np.isfinite(totals)
    if np.isnan(gains[live]).any():
        raise CaptionerError(
            "The model gives NaN for the probability of the next word, so its weights are broken: "
            "load another preset, or train again from an earlier checkpoint."
        )
    candidates = np.where(live[:, :, None], totals[:, :, None] + gains, -np.inf)
    candidates = candidates.reshape(num_images, -1)  # (B, K * min(K, V)), lower parents first
    order = np.argsort(-candidates, axis=1, kind="stable")[:, :beam_width]  # (B, K)
    token_ids = np.take_along_axis(children.reshape(num_images, -1), order, axis=1)
    return np.take_along_axis(candidates, order, axis=1), order // children.shape[2], token_ids


def _cannot_improve(
    totals: np.ndarray,
    finished: list[list[tuple[Hypothesis, np.ndarray]]],
    num_captions: int,
    max_length: int,
    length_power: float,
) -> np.ndarray:
    """Tell for which images (B,) no live hypothesis can reach the sentences to return."""
    # More words only lower a log-probability, and a longer sentence divides it by more: at best
    # every word still to come is certain and the sentence is as long as allowed.
    attainable = totals.max(axis=1) / (max_length + 1) ** length_power
    worst = [best[-1][0].score if len(best) == num_captions else -np.inf for best in finished]
    return attainable <= np.array(worst)


def _with_attention(
    hypothesis: Hypothesis, image: int, path: np.ndarray, attentions: list[np.ndarray]
) -> Hypothesis:
    if not attentions:
        return hypothesis
    maps = [attentions[position][image, slot] for position, slot in enumerate(path)]
    shape = (len(maps), *attentions[0].shape[2:])  # (L, T, P), also for a sentence of no words
    return replace(hypothesis, attention=np.array(maps, np.float32).reshape(shape))


def _check_options(
    beam_width: int, max_length: int, min_length: int, length_power: float, num_captions: int
) -> None:
    if beam_width < 1:
        raise ValueError(f"beam_width must be at least 1, not {beam_width}.")
    if not 1 <= num_captions <= beam_width:
        raise ValueError(
            f"num_captions must lie between 1 and beam_width ({beam_width}), not {num_captions}: "
            "a beam can return no more sentences than it keeps."
        )
    if max_length < 1:
        raise ValueError(f"max_length must be at least 1 word, not {max_length}.")
    if not 0 <= min_length <= max_length:
        raise ValueError(
            f"min_length must lie between 0 and max_length ({max_length}), not {min_length}."
        )
    if not length_power >= 0:
        raise ValueError(f"length_power must not be negative, but is {length_power}.")
