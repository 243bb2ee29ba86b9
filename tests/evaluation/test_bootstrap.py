import numpy as np
import pytest
from scipy import stats

from captioner.errors import CaptionerError
from captioner.evaluation.bootstrap import (
    Metric,
    confidence_intervals,
    paired_bootstrap,
    resampled_sums,
)
from captioner.evaluation.scores import measure_captions


def test_interval_of_a_mean_is_scipys():
    values = np.random.default_rng(1).gamma(2.0, size=400)
    low, high = confidence_intervals({"m": Metric.mean(values)}, resamples=4000)["m"]
    peer = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=4000, rng=2)
    assert low == pytest.approx(peer.confidence_interval.low, abs=0.02)
    assert high == pytest.approx(peer.confidence_interval.high, abs=0.02)


def test_resampled_scores_are_those_of_the_drawn_images():
    captions = ["a dog runs here now", "the cat", "a man on a horse", "no words match"]
    references = [["a dog runs here"], ["the cat sat"], ["a man rides a horse"], ["x y z w"]]
    names = [str(number) for number in range(4)]
    metric = measure_captions(
        dict(zip(names, captions, strict=True)), dict(zip(names, references, strict=True))
    )["BLEU-2"]
    (sums,) = resampled_sums([metric.statistics], 20, seed=3)
    draws = np.random.default_rng(3).multinomial(4, [0.25] * 4, size=20)
    for drawn, score in zip(draws, metric.combine(sums), strict=True):
        chosen = np.repeat(np.arange(4), drawn)
        again = measure_captions(
            {str(place): captions[image] for place, image in enumerate(chosen)},
            {str(place): references[image] for place, image in enumerate(chosen)},
        )["BLEU-2"]
        assert score == pytest.approx(again.score, rel=1e-9)


def test_meteor_has_an_interval_around_its_score(meteor):
    captions = {str(n): text for n, text in enumerate(["a dog runs", "a cat", "two men"] * 5)}
    references = {n: ["the dog is running", "a cat sits"] for n in captions}
    metrics = measure_captions(captions, references, meteor=meteor)
    low, high = confidence_intervals(metrics, resamples=200)["METEOR"]
    assert 0 <= low < metrics["METEOR"].score < high <= 1


def test_the_same_seed_gives_the_same_interval():
    metrics = {"m": Metric.mean(np.random.default_rng(1).random(50))}
    assert confidence_intervals(metrics, seed=5) == confidence_intervals(metrics, seed=5)
    assert confidence_intervals(metrics, seed=5) != confidence_intervals(metrics, seed=6)


def test_paired_test_agrees_with_the_t_test():
    rng = np.random.default_rng(4)
    first = rng.normal(0.5, 1, 500)
    for shift in (0.0, 0.02, 0.05):
        second = first + rng.normal(shift, 0.3, 500)
        result = paired_bootstrap(
            {"m": Metric.mean(first)}, {"m": Metric.mean(second)}, resamples=4000
        )["m"]
        peer = stats.ttest_rel(second, first)
        assert result.difference == pytest.approx(np.mean(second - first))
        assert result.p_value == pytest.approx(peer.pvalue, abs=0.05)
        assert (result.low, result.high) == pytest.approx(
            tuple(peer.confidence_interval()), abs=6e-3
        )


def test_a_system_does_not_differ_from_itself():
    metrics = {"m": Metric.mean(np.random.default_rng(1).random(50))}
    same = paired_bootstrap(metrics, metrics)["m"]
    assert (same.difference, same.low, same.high, same.p_value) == (0, 0, 0, 1)


def test_different_images_are_not_compared():
    with pytest.raises(CaptionerError, match="same images"):
        paired_bootstrap({"m": Metric.mean(np.ones(3))}, {"m": Metric.mean(np.ones(4))})
