import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_language import END, START, RandomLanguage, WholeRows

from captioner.errors import CaptionerError
from captioner.search.beam import Hypothesis, beam_search

SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def option_sets(draw, max_length=8, vocabulary_size=9):
    max_length = draw(st.integers(1, max_length))
    return {
        "max_length": max_length,
        "min_length": draw(st.integers(0, max_length)),
        "length_power": draw(st.sampled_from([0.0, 0.7, 1.0, 2.0])),
        "suppressed_ids": tuple(draw(st.sets(st.integers(1, vocabulary_size - 1), max_size=2))),
        "no_repeat_ngram": draw(st.integers(0, 3)),
        "joining_ids": tuple(draw(st.sets(st.integers(1, vocabulary_size - 1), max_size=2))),
        "no_double": draw(st.booleans()),
    }


def search(language, beam_width, options, num_captions=1):
    return beam_search(
        language.step(),
        language.begin(),
        start_id=START,
        end_id=END,
        beam_width=beam_width,
        num_captions=num_captions,
        **options,
    )


def plain(found):
    return [(h.token_ids, h.log_prob, h.score) for h in found]


def is_allowed(words, options):
    """Whether every word may stand where it stands; the end is judged by `may_follow`."""
    n = options["no_repeat_ngram"]
    ngrams = [words[i : i + n] for i in range(len(words) - n + 1)] if n else []
    double = options["no_double"] and any(one == next_ for one, next_ in itertools.pairwise(words))
    joined = any(
        joint in options["joining_ids"] and one == other
        for one, joint, other in zip(words, words[1:], words[2:], strict=False)
    )
    suppressed = set(words) & set(options["suppressed_ids"])
    return len(ngrams) == len(set(ngrams)) and not (double or joined or suppressed)


def may_follow(words, token, options):
    if token == END:
        return len(words) >= options["min_length"]
    return len(words) < options["max_length"] and is_allowed((*words, token), options)


def exhaustive_search(language, image, options):
    """All allowed sentences of nonzero probability, best first."""
    vocabulary = [w for w in range(language.vocabulary_size) if w != END]
    lengths = range(options["min_length"], options["max_length"] + 1)
    sentences = itertools.chain(*(itertools.product(vocabulary, repeat=n) for n in lengths))
    scored = []
    for words in sentences:
        log_prob = language.score(image, words)
        if is_allowed(words, options) and np.isfinite(log_prob):
            score = log_prob / (len(words) + 1) ** options["length_power"]
            scored.append((words, log_prob, score))
    return sorted(scored, key=lambda entry: -entry[2])


def list_beam_search(language, image, beam_width, options):
    """Beam search with lists, without a rule to stop early; every complete sentence it meets."""
    live, complete = [((), 0.0)], []
    for length in range(options["max_length"] + 1):
        candidates = []
        for rank, (words, log_prob) in enumerate(live):
            for token, gain in enumerate(language.next(image, words)):
                if may_follow(words, token, options) and np.isfinite(gain):
                    candidates.append((-(log_prob + float(gain)), rank, token))
        parents, live = live, []
        for cost, rank, token in sorted(candidates)[:beam_width]:
            words = parents[rank][0]
            if token == END:
                score = -cost / (length + 1) ** options["length_power"]
                complete.append((words, -cost, score))
            else:
                live.append(((*words, token), -cost))
    return sorted(complete, key=lambda entry: -entry[2])


@settings(max_examples=100, deadline=None)
@given(
    seed=SEEDS,
    vocabulary_size=st.integers(2, 4),
    options=option_sets(max_length=4, vocabulary_size=4),
    num_captions=st.integers(1, 12),
    data=st.data(),
)
def test_wide_beam_equals_exhaustive_search(seed, vocabulary_size, options, num_captions, data):
    options["suppressed_ids"] = [w for w in options["suppressed_ids"] if w < vocabulary_size]
    language = RandomLanguage(seed, (0, 1), vocabulary_size, options["max_length"])
    # Never more live hypotheses and ends at a step than prefixes of that length.
    every_prefix = max(num_captions, vocabulary_size ** options["max_length"])
    found = search(language, every_prefix, options, num_captions)
    narrow = search(language, data.draw(st.integers(1, every_prefix)), options)
    for image in language.images:
        expected = exhaustive_search(language, image, options)
        assert plain(found[image]) == expected[:num_captions]
        if narrow[image]:  # a wider beam is never worse than one that misses nothing
            assert narrow[image][0].score <= found[image][0].score


@settings(max_examples=200, deadline=None)
@given(seed=SEEDS, beam_width=st.integers(1, 7), options=option_sets(), data=st.data())
def test_every_width_equals_a_beam_of_lists(seed, beam_width, options, data):
    # Coarse log-probabilities: equals are common and must fall the same way.
    coarse = data.draw(st.booleans())
    language = RandomLanguage(seed, (0, 1, 2), 9, options["max_length"], coarse)
    num_captions = data.draw(st.integers(1, beam_width))
    found = search(language, beam_width, options, num_captions)
    for image in language.images:
        expected = list_beam_search(language, image, beam_width, options)
        assert plain(found[image]) == expected[:num_captions]


@settings(max_examples=100, deadline=None)
@given(seed=SEEDS, options=option_sets())
def test_width_one_is_greedy_search(seed, options):
    language = RandomLanguage(seed, (0,), 9, options["max_length"])
    words, token = (), None
    while token != END:
        gains = language.next(0, words)
        allowed = [w for w in range(9) if may_follow(words, w, options) and np.isfinite(gains[w])]
        if not allowed:
            break
        token = max(allowed, key=lambda w: gains[w])
        words = words if token == END else (*words, token)
    found = search(language, 1, options)[0]
    assert [h.token_ids for h in found] == ([words] if token == END else [])


@settings(max_examples=100, deadline=None)
@given(seed=SEEDS, options=option_sets(), num_images=st.integers(1, 5))
def test_a_batch_equals_one_image_at_a_time(seed, options, num_images):
    batch = RandomLanguage(seed, range(num_images), 9, options["max_length"])
    together = search(batch, 3, options, num_captions=3)
    for image in range(num_images):
        single = RandomLanguage(seed, (image,), 9, options["max_length"])
        alone = search(single, 3, options, num_captions=3)[0]
        assert plain(together[image]) == plain(alone)
        for in_batch, by_itself in zip(together[image], alone, strict=True):
            np.testing.assert_array_equal(in_batch.attention, by_itself.attention)


@settings(max_examples=100, deadline=None)
@given(seed=SEEDS, beam_width=st.integers(1, 6), options=option_sets())
def test_probability_and_attention_belong_to_the_sentence(seed, beam_width, options):
    language = RandomLanguage(seed, (0, 1, 2), 9, options["max_length"])
    for image, found in enumerate(search(language, beam_width, options, beam_width)):
        assert len({h.token_ids for h in found}) == len(found)
        for hypothesis in found:
            words = hypothesis.token_ids
            assert hypothesis.log_prob == language.score(image, words)
            assert hypothesis.attention.shape == (len(words), 1, options["max_length"] + 1)
            for i, seen in enumerate(hypothesis.attention[:, 0]):  # the history before word i
                history = [START, *words[:i]]
                assert seen.tolist() == history + [-1] * (len(seen) - len(history))


def test_the_arrays_of_a_step_may_be_used_again_by_the_next():
    options = {"max_length": 6, "min_length": 4}
    language = RandomLanguage(5, (0, 1), 9, 6)
    buffers = []

    def predict(token_ids, state):
        log_probs, state, attention = language.predict(token_ids, state)
        if not buffers:
            buffers.extend(a.copy() for a in (log_probs, *state, attention))
        for buffer, new in zip(buffers, (log_probs, *state, attention), strict=True):
            buffer[...] = new
        return buffers[0], (buffers[1], buffers[2]), buffers[3]

    step = WholeRows(predict, 9)
    reusing = beam_search(step, language.begin(), start_id=START, end_id=END, **options)
    fresh = beam_search(language.step(), language.begin(), start_id=START, end_id=END, **options)
    for one, other in zip(reusing, fresh, strict=True):
        assert plain(one) == plain(other)
        np.testing.assert_array_equal(one[0].attention, other[0].attention)


def test_the_search_stops_when_no_sentence_can_improve():
    calls = 0

    def predict(token_ids, state):  # "a" (2), then the end with probability 0.9
        nonlocal calls
        calls += 1
        first, later = np.log([0.05, 0.05, 0.9]), np.log([0.9, 0.05, 0.05])
        log_probs = np.where(token_ids[:, :, None] == START, first, later)
        return log_probs.astype(np.float32), state, None

    step, state = WholeRows(predict, 3), (np.zeros((4, 1, 2)),)
    found = beam_search(step, state, start_id=START, end_id=END, max_length=50, length_power=0.0)
    assert [[h.token_ids for h in best] for best in found] == [[(2,)]] * 4
    assert found[0][0].attention is None
    assert calls == 2


def test_an_image_without_any_allowed_sentence_gets_none():
    language = RandomLanguage(0, (0,), 4, 6)
    options = {"max_length": 6, "min_length": 5, "no_repeat_ngram": 1}  # three words, none twice
    assert search(language, 3, options) == [[]]


def test_an_empty_batch_gives_an_empty_list():
    language = RandomLanguage(0, (), 4, 6)
    assert search(language, 3, {"max_length": 6}) == []


def test_nan_says_that_the_model_is_broken():
    def predict(token_ids, state):
        return np.full((*token_ids.shape, 5), np.nan, np.float32), state, None

    with pytest.raises(CaptionerError, match="its weights are broken"):
        beam_search(WholeRows(predict, 5), (np.zeros((2, 1, 3)),), start_id=START, end_id=END)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_captions": 4}, "num_captions must lie between 1 and beam_width"),
        ({"num_captions": 0}, "num_captions must lie between 1 and beam_width"),
        ({"beam_width": 0}, "beam_width must be at least 1"),
        ({"max_length": 0}, "max_length must be at least 1"),
        ({"min_length": 21}, "min_length must lie between 0 and max_length"),
        ({"length_power": -0.5}, "length_power must not be negative"),
        ({"length_power": float("nan")}, "length_power must not be negative"),
        ({"suppressed_ids": (3, END)}, "no sentence could end"),
    ],
)
def test_an_option_out_of_range_is_refused(options, message):
    language = RandomLanguage(0, (0,), 9, 20)
    with pytest.raises(ValueError, match=message):
        beam_search(language.step(), language.begin(), start_id=START, end_id=END, **options)


@pytest.mark.parametrize("state", [(), (np.zeros(3),), (np.zeros((3, 2, 4)),)])
def test_a_state_without_one_row_an_image_is_refused(state):
    with pytest.raises(ValueError, match="one row for each image"):
        beam_search(RandomLanguage(0, (0,), 9, 20).step(), state, start_id=START, end_id=END)


def test_equal_to_keras_nlp_on_sentences_of_fixed_length():
    # keras_nlp's sampler has no rule for sentences that end, so all have the same length here and
    # the end token, forced after it, costs the same for each.
    from keras import ops  # here: slow to import
    from keras_nlp.samplers import BeamSampler

    length, vocabulary_size, beam_width = 6, 12, 4
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(2, length, vocabulary_size, vocabulary_size))
    logits[..., END] = -30.0
    log_probs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    # (image, position, previous word, next word)
    table = np.pad(log_probs, [(0, 0), (0, 1), (0, 0), (0, 0)]).astype(np.float32)

    def next_logits(prompt, cache, index):
        image = cache[:, 0]
        previous = prompt[:, index - 1]
        flat = ops.reshape(ops.convert_to_tensor(table), (-1, vocabulary_size))
        rows = (image * (length + 1) + index - 1) * vocabulary_size + previous
        return ops.take(flat, rows, axis=0), None, cache

    prompt = np.full((2, length + 1), START, np.int32)
    sampler = BeamSampler(num_beams=beam_width, return_all_beams=True)
    images = np.array([[0], [1]], np.int32)
    peer = [np.asarray(a) for a in sampler(next_logits, prompt, cache=images, index=1)]

    def predict(token_ids, state):
        image, position = np.arange(2)[:, None], state[0]
        return table[image, position, token_ids], (position + 1,), None

    found = beam_search(
        WholeRows(predict, vocabulary_size),
        (np.zeros((2, 1), np.int64),),
        start_id=START,
        end_id=END,
        beam_width=beam_width,
        num_captions=beam_width,
        max_length=length,
        min_length=length,
        length_power=0.0,
    )
    for image in range(2):
        assert [list(h.token_ids) for h in found[image]] == peer[0][image, :, 1:].tolist()
        np.testing.assert_allclose([h.log_prob for h in found[image]], peer[1][image], rtol=1e-5)


def test_hypotheses_compare_without_their_attention():
    assert Hypothesis((1,), -1.0, -0.5, np.ones((1, 1, 4))) == Hypothesis((1,), -1.0, -0.5)
