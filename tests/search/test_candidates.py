"""Images leave the batch of a beam search as soon as their sentences are complete."""

from itertools import pairwise

import numpy as np
import pytest
from random_language import END, START, RandomLanguage, WholeRows

from captioner.search.beam import beam_search


@pytest.mark.parametrize("seed", range(5))
def test_images_leave_as_they_are_finished_and_none_comes_back(seed):
    language = RandomLanguage(seed, range(4), 6, 8)
    step = language.step()
    found = beam_search(step, language.begin(), start_id=START, end_id=END, max_length=8)
    assert step.images[0] == [0, 1, 2, 3]
    assert all(set(later) <= set(now) for now, later in pairwise(step.images))
    # Whatever else is in the batch, an image's sentences are the same.
    for image, expected in enumerate(found):
        alone = RandomLanguage(seed, (image,), 6, 8)
        options = {"start_id": START, "end_id": END, "max_length": 8}
        assert beam_search(alone.step(), alone.begin(), **options) == [expected]


def test_a_finished_image_costs_no_more_steps():
    table = np.log(np.array([[0.98, 0.01, 0.01], [0.01, 0.01, 0.98]], np.float32))

    def predict(token_ids, state):
        return np.repeat(table[:, None], token_ids.shape[1], axis=1), state, None

    step = WholeRows(predict, 3)
    options = {"start_id": START, "end_id": END, "beam_width": 2, "max_length": 4, "min_length": 0}
    found = beam_search(step, (np.zeros((2, 1, 1)),), length_power=0.0, **options)
    assert found[0][0].token_ids == ()
    assert step.images[0] == [0, 1]
    assert step.images[1:] and all(rows == [1] for rows in step.images[1:])
