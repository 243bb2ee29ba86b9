import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from captioner.search.confidence import Calibration


def test_fit_finds_the_curve_that_made_the_shares():
    rng = np.random.default_rng(0)
    words = rng.integers(3, 15, 20_000)
    log_probs = (-rng.gamma(4, 0.2, 20_000) * (words + 1)).tolist()
    words = words.tolist()
    truth = Calibration(intercept=1.5, slope=2.0)
    expected = [truth.confidence(*pair) for pair in zip(log_probs, words, strict=True)]
    shares = (rng.binomial(5, expected) / 5).tolist()
    fitted = Calibration.fit(log_probs, words, shares)
    assert abs(fitted.intercept - truth.intercept) < 0.05
    assert abs(fitted.slope - truth.slope) < 0.08


def test_fitted_confidence_has_the_mean_of_the_shares():
    rng = np.random.default_rng(1)
    draws = -rng.random(300) * 9, rng.integers(4, 12, 300), rng.random(300)
    log_probs, words, shares = (drawn.tolist() for drawn in draws)
    fitted = Calibration.fit(log_probs, words, shares)
    given_ = [fitted.confidence(*pair) for pair in zip(log_probs, words, strict=True)]
    np.testing.assert_allclose(np.mean(given_), np.mean(shares), atol=1e-6)


@given(
    st.lists(st.tuples(st.floats(-80, 0), st.integers(1, 30), st.floats(0, 1)), min_size=1),
)
def test_any_captions_give_a_confidence_between_0_and_1(rows):
    log_probs, words, shares = zip(*rows, strict=True)
    curve = Calibration.fit(log_probs, words, shares)
    assert all(0 <= curve.confidence(*pair) <= 1 for pair in zip(log_probs, words, strict=True))
