import numpy as np
import pytest

from captioner.models.heads import pool_grid


@pytest.mark.parametrize("places", [1, 2, 3, 7])
def test_pool_grid_averages_equal_parts(places):
    features = np.random.default_rng(0).normal(size=(2, 3, 7, 7, 4)).astype("float32")
    fine = features.repeat(places, 2).repeat(places, 3)  # each part has 7 whole rows of it
    expected = fine.reshape(2, 3, places, 7, places, 7, 4).mean((3, 5)).reshape(2, 3, -1)
    np.testing.assert_allclose(np.asarray(pool_grid(features, places)), expected, atol=1e-5)
