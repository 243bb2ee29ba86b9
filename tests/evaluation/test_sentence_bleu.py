import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captioner.errors import CaptionerError
from captioner.evaluation.image_scores import SMOOTHINGS, sentence_bleu

WORDS = st.lists(st.sampled_from("abc"), min_size=1, max_size=8)


def by_definition(caption, references, smooth):
    """BLEU-1 to 4 of single sentences, from the papers; `smooth` maps order, matches, n-grams."""
    logs, scores = 0.0, []
    closest = min((abs(len(r) - len(caption)), len(r)) for r in references)[1]
    penalty = min(0.0, 1 - closest / len(caption))
    for order in range(1, 5):
        counts = [
            Counter(tuple(s[i : i + order]) for i in range(len(s) - order + 1))
            for s in (caption, *references)
        ]
        allowed = Counter()
        for of_reference in counts[1:]:
            allowed |= of_reference
        matches = (counts[0] & allowed).total()
        matches, ngrams = smooth(order, matches, max(counts[0].total(), 1))
        logs += math.log(matches / ngrams) if matches else -math.inf
        scores.append(math.exp(penalty + logs / order))
    return scores


def add_one(order, matches, ngrams):
    return (matches, ngrams) if order == 1 else (matches + 1, ngrams + 1)


def epsilon(order, matches, ngrams):
    return matches or 0.1, ngrams


@settings(deadline=None)
@given(caption=WORDS, references=st.lists(WORDS, min_size=1, max_size=3))
@pytest.mark.parametrize(("name", "smooth"), [("add-one", add_one), ("epsilon", epsilon)])
def test_equals_the_definition(name, smooth, caption, references):
    found = sentence_bleu(" ".join(caption), [" ".join(r) for r in references], name)
    shared = set(caption) & {word for reference in references for word in reference}
    expected = by_definition(caption, references, smooth) if shared else [0.0] * 4
    assert found == pytest.approx(expected)


def test_nist_halves_from_order_to_order():
    # One word of two; no pair, triple or four in common: 1/2 and 1/4 and 1/8 of one n-gram each.
    found = sentence_bleu("dog cat", ["dog runs"], "nist")
    expected = [1 / 2, (1 / 2 * 1 / 2) ** 0.5, (1 / 2 * 1 / 2 * 1 / 4) ** (1 / 3)]
    assert found[:3] == pytest.approx(expected)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_a_right_caption_has_1_and_a_wrong_or_empty_one_0(smoothing):
    assert sentence_bleu("a dog runs fast", ["a dog runs fast"], smoothing) == (1, 1, 1, 1)
    assert sentence_bleu("two men", ["a dog runs fast"], smoothing) == (0, 0, 0, 0)
    assert sentence_bleu("", ["a dog runs fast"], smoothing) == (0, 0, 0, 0)


def test_what_is_not_there_is_named():
    with pytest.raises(CaptionerError, match="choose one of epsilon, add-one, nist"):
        sentence_bleu("a", ["a"], "seven")
    with pytest.raises(CaptionerError, match="no references"):
        sentence_bleu("a", [])
