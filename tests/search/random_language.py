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


class RandomLanguage:
    """A step function; its state is the history, and so is its attention."""

    def __init__(self, seed, images, vocabulary_size, max_length, coarse=False):
        self.seed, self.images, self.vocabulary_size = seed, images, vocabulary_size
        self.max_length, self.coarse, self.calls = max_length, coarse, 0

    def next(self, image, words):
        history = (START, *words)
        return next_log_probs(self.seed, image, history, self.vocabulary_size, self.coarse)

    def begin(self):
        tokens = np.full((len(self.images), 1, self.max_length + 1), -1, np.int32)
        return tokens, np.zeros((len(self.images), 1), np.int64)

    def __call__(self, token_ids, state):
        self.calls += 1
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
