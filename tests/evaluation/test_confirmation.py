import numpy as np
import pytest

from captioner.evaluation.confirmation import auroc, confirmed_share


def test_content_words_count_alone():
    references = [["two", "dogs", "run"], ["dogs", "in", "the", "snow"]]
    assert confirmed_share(["two", "dogs", "in", "a", "field"], references) == 2 / 3
    assert confirmed_share(["a", "cat"], references) == 0
    assert confirmed_share(["dogs", "dogs", "cat"], references) == 2 / 3
    assert confirmed_share(["in", "the"], references) == 0


def test_auroc_counts_the_pairs_in_the_right_order():
    rng = np.random.default_rng(0)
    for _ in range(20):
        scores, positives = rng.integers(0, 6, 15), rng.random(15) < 0.4
        pairs = [
            1.0 if ours > theirs else 0.5 if ours == theirs else 0.0
            for ours in scores[positives]
            for theirs in scores[~positives]
        ]
        expected = pytest.approx(np.mean(pairs)) if pairs else None
        assert auroc(scores, positives) == expected
