"""A made-up language whose next word depends on the image and on the whole history."""

from functools import lru_cache

import numpy as np

END, START = 0, 1


@lru_cache(maxsize=200_000)
def next_log_probs(seed, image, history, vocabulary_size, coarse):
    """Float32 (V,) from a generator seeded with everything that came before."""
    rng = np.random.default_rng([seed, image, *history])
    if coarse:  # whole numbers: sums are exact and equal sums are common
        log_probs = -rng.integers(0, 4, vocabulary_size).astype(np.float32)
    else:
        logits = 2 * rng.gumbel(size=vocabulary_size)
        log_probs = (logits - np.log(np.exp(logits).sum())).astype(np.float32)
    log_probs[rng.random(vocabulary_size) < 0.1] = -np.inf
    log_probs.flags.writeable = False
    return log_probs


class WholeRows:
    """The step of a search from a function that gives the log-probabilities of all tokens.

    The function is always called for all images; tokens are sorted by NumPy.
    """

    def __init__(self, function, vocabulary_size):
        self.function, self.vocabulary_size = function, vocabulary_size
        self.inputs, self.images = None, []

    def __call__(self, token_ids, state, images, penalty, count):
        self.images.append(images.tolist())
        if self.inputs is None:
            self.inputs = [token_ids.copy(), *(np.array(part) for part in state)]
        for whole, part in zip(self.inputs, (token_ids, *state), strict=True):
            whole[images] = part
        log_probs, state, attention = self.function(self.inputs[0], tuple(self.inputs[1:]))
        self.inputs[1:] = [np.array(part) for part in state]
        log_probs = np.asarray(log_probs, np.float32)[images] + penalty
        best = np.argsort(-log_probs, axis=2, kind="stable")[:, :, :count]
        return (
            best,
            np.take_along_axis(log_probs, best, axis=2),
            tuple(np.asarray(part)[images] for part in state),
            None if attention is None else np.asarray(attention)[images],
        )


class RandomLanguage:
    """A decoder; its state is the history, and so is its attention."""

    def __init__(self, seed, images, vocabulary_size, max_length, coarse=False):
        self.seed, self.images, self.vocabulary_size = seed, images, vocabulary_size
        self.max_length, self.coarse = max_length, coarse

    def next(self, image, words):
        history = (START, *words)
        return next_log_probs(self.seed, image, history, self.vocabulary_size, self.coarse)

    def begin(self):
        tokens = np.full((len(self.images), 1, self.max_length + 1), -1, np.int32)
        return tokens, np.zeros((len(self.images), 1), np.int64)

    def step(self):
        return WholeRows(self.predict, self.vocabulary_size)

    def predict(self, token_ids, state):
        tokens, lengths = state[0].copy(), state[1]
        np.put_along_axis(tokens, lengths[:, :, None], token_ids[:, :, None], axis=2)
        lengths = lengths + 1
        log_probs = np.stack(
            [
                [self.next(image, row[1:n].tolist()) for row, n in zip(rows, ns, strict=True)]
                for image, rows, ns in zip(self.images, tokens, lengths, strict=True)
            ]
        )
        log_probs.flags.writeable = False  # as a JAX array is
        attention = tokens[:, :, None, :].astype(np.float32)  # (B, K, T=1, P=max_length + 1)
        return log_probs, (tokens, lengths), attention

    def score(self, image, words):
        """Sum of the log-probabilities of the words and of the end token."""
        sentence = (*words, END)
        return sum(float(self.next(image, sentence[:i])[w]) for i, w in enumerate(sentence))
