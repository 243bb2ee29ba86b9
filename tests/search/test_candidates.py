"""A step that picks its own best words must give the search what whole rows give it."""

from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_language import END, START, RandomLanguage

from captioner.search.beam import beam_search
from captioner.search.candidates import Shortlister


class ShortRandomLanguage(Shortlister):
    """A random language that hands over words sorted by NumPy, for the images asked for alone."""

    def __init__(self, language):
        self.language, self.vocabulary_size = language, language.vocabulary_size
        self.all_images = np.array(language.images)
        self.rows = []

    def shortlist(self, token_ids, state, images, penalty, count):
        self.rows.append(images.tolist())
        self.language.images = self.all_images[images].tolist()
        log_probs, state, attention = self.language(token_ids, state)
        log_probs = log_probs + penalty
        words = np.argsort(-log_probs, axis=2, kind="stable")[:, :, :count]
        return words, np.take_along_axis(log_probs, words, axis=2), state, attention


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    num_images=st.integers(1, 4),
    beam_width=st.integers(1, 6),
    coarse=st.booleans(),
    options=st.fixed_dictionaries(
        {
            "min_length": st.integers(0, 5),
            "length_power": st.sampled_from([0.0, 0.7, 2.0]),
            "suppressed_ids": st.sets(st.integers(1, 5), max_size=2).map(tuple),
            "no_repeat_ngram": st.integers(0, 3),
            "joining_ids": st.sets(st.integers(1, 5), max_size=2).map(tuple),
            "no_double": st.booleans(),
        }
    ),
)
def test_a_shortlist_is_as_good_as_whole_rows(seed, num_images, beam_width, coarse, options):
    options |= {"start_id": START, "end_id": END, "max_length": 8, "beam_width": beam_width}
    options["num_captions"] = beam_width
    whole = RandomLanguage(seed, range(num_images), 6, 8, coarse)
    short = ShortRandomLanguage(RandomLanguage(seed, range(num_images), 6, 8, coarse))
    expected = beam_search(whole, whole.begin(), **options)
    found = beam_search(short, short.language.begin(), **options)
    assert found == expected
    for one, other in zip(chain(*found), chain(*expected), strict=True):
        np.testing.assert_array_equal(one.attention, other.attention)
    # Images leave as they are finished, and none comes back.
    assert all(set(later) <= set(now) for now, later in pairwise(short.rows))


def test_a_finished_image_costs_no_more_steps():
    table = np.log(np.array([[0.98, 0.01, 0.01], [0.01, 0.01, 0.98]], np.float32))

    class Two(Shortlister):
        vocabulary_size = 3
        rows = ()

        def shortlist(self, token_ids, state, images, penalty, count):
            self.rows += (images.tolist(),)
            log_probs = np.repeat(table[images][:, None], token_ids.shape[1], axis=1) + penalty
            words = np.argsort(-log_probs, axis=2, kind="stable")[:, :, :count]
            return words, np.take_along_axis(log_probs, words, axis=2), state, None

    step = Two()
    options = {"start_id": START, "end_id": END, "beam_width": 2, "max_length": 4, "min_length": 0}
    found = beam_search(step, (np.zeros((2, 1, 1)),), length_power=0.0, **options)
    assert found[0][0].token_ids == ()
    assert step.rows[0] == [0, 1]
    assert step.rows[1:] and all(rows == [1] for rows in step.rows[1:])
