import numpy as np
import pytest

from captioner.models.activity import motion_features


@pytest.mark.parametrize("lengths", [(5, 5), (4, 3), (1, 2)])
def test_median_is_that_of_numpy_without_the_padding(lengths):
    features = np.random.default_rng(0).normal(size=(2, 5, 3, 4)).astype("float32")
    mask = np.arange(5) < np.array(lengths)[:, None]
    moving = np.asarray(motion_features(features, mask, "median")[0])
    for clip, result, length in zip(features, moving, lengths, strict=True):
        expected = clip[:length] - np.median(clip[:length], axis=0)
        np.testing.assert_allclose(result[:length], expected, atol=1e-6)


def test_differences_are_of_neighbours():
    features = np.random.default_rng(0).normal(size=(1, 4, 2)).astype("float32")
    mask = np.array([[True, True, True, False]])
    moving, shorter = motion_features(features, mask, "difference")
    np.testing.assert_allclose(np.asarray(moving), np.diff(features, axis=1), atol=1e-6)
    assert np.asarray(shorter).tolist() == [[True, True, False]]
