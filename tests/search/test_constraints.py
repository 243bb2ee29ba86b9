import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from captioner.search import beam
from captioner.search import rules as constraints


@given(
    words=st.lists(st.integers(1, 3), max_size=9),
    n=st.integers(0, 4),
    limits=st.tuples(st.integers(0, 9), st.integers(0, 9)).map(sorted),
    suppressed_ids=st.sets(st.integers(1, 4)),
    joining_ids=st.sets(st.integers(1, 3)),
    no_double=st.booleans(),
)
def test_exactly_the_forbidden_words_are_forbidden(
    words, n, limits, suppressed_ids, joining_ids, no_double
):
    min_length, max_length = limits
    words = words[:max_length]
    log_probs = np.tile(np.arange(5.0), (2, 1, 1))
    log_probs += constraints.penalty(
        5,
        len(words),
        end_id=0,
        max_length=max_length,
        min_length=min_length,
        suppressed_ids=tuple(suppressed_ids),
    )
    if len(words) < max_length:
        tokens = np.array([[words], [[4] * len(words)]], np.int32).reshape(2, 1, -1)
        log_probs[constraints.repeating(tokens, n, tuple(joining_ids), no_double)] = -np.inf
    for word, log_prob in enumerate(log_probs[0, 0]):
        text = "".join(map(str, [*words, word]))
        if word == 0:
            allowed = len(words) >= min_length
        else:
            allowed = len(words) < max_length and word not in suppressed_ids
            if n and len(text) > n:
                allowed = allowed and text[-n:] not in text[:-1]
            if len(words) >= 2 and words[-1] in joining_ids:
                allowed = allowed and word != words[-2]
            if no_double and words:
                allowed = allowed and word != words[-1]
        assert log_prob == (word if allowed else -np.inf)


@pytest.mark.parametrize("module", [beam, constraints])
def test_the_examples_in_the_docstrings_run(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
