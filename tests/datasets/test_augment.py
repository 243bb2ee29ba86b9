import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from captioner.datasets.augment import augment, can_flip

GRADIENT = np.broadcast_to(np.arange(64, dtype=np.uint8)[:, None], (48, 64, 3)).copy()


def test_captions_with_sides_are_not_flipped():
    assert can_flip([["a", "dog"], ["two", "dogs"]])
    assert not can_flip([["a", "dog"], ["a", "man", "on", "the", "right"]])


@given(st.integers(0, 1000), st.floats(0.2, 1.0), st.booleans())
def test_shape_and_range_stay(seed, crop, flip):
    result = augment(GRADIENT, np.random.default_rng(seed), crop, flip)
    assert result.shape == GRADIENT.shape
    assert result.dtype == np.uint8
    assert result.max() <= 63


def test_nothing_asked_is_nothing_done():
    np.testing.assert_array_equal(augment(GRADIENT, np.random.default_rng(0)), GRADIENT)


def test_flips_half_of_the_time_and_exactly():
    results = [augment(GRADIENT, np.random.default_rng(s), 1.0, True) for s in range(200)]
    flipped = [np.array_equal(r, GRADIENT[:, ::-1]) for r in results]
    assert all(f or np.array_equal(r, GRADIENT) for f, r in zip(flipped, results, strict=True))
    assert 70 < sum(flipped) < 130


def test_a_crop_keeps_at_least_its_share_and_the_order_of_columns():
    for seed in range(50):
        result = augment(GRADIENT, np.random.default_rng(seed), crop=0.5).astype(int)
        kept = (result[0, -1, 0] - result[0, 0, 0] + 1) / 64
        assert 0.5**0.5 * 0.95 <= kept <= 1
        assert (np.diff(result[:, :, 0], axis=1) >= 0).all()
