import keras
import numpy as np
import pytest

from captioner.training.config import StageConfig
from captioner.training.optimizer import TwoRateAdam, build_optimizer


class Parts(keras.Model):
    def __init__(self):
        super().__init__()
        self.slow = keras.layers.Dense(2, name="block5_conv1")
        self.fast = keras.layers.Dense(2, name="word_logits")
        self.slow.build((None, 3))
        self.fast.build((None, 2))

    def build(self, input_shape):
        self.built = True

    def call(self, x):
        return self.fast(self.slow(x))


def test_the_encoder_moves_at_its_own_rate_under_fit():
    moves = {}
    for scale in (1.0, 0.25):
        keras.utils.set_random_seed(0)
        model = Parts()
        model.compile(TwoRateAdam(0.01, encoder_scale=scale), "mse", jit_compile=False)
        x = np.ones((4, 3), "float32")
        before = [np.array(v) for v in model.trainable_variables]
        model.fit(x, np.full((4, 2), 5.0), epochs=1, verbose=0)
        moves[scale] = [
            np.array(v) - b for v, b in zip(model.trainable_variables, before, strict=True)
        ]
    for name, full, quarter in zip(("slow", "slow", "fast", "fast"), *moves.values(), strict=True):
        np.testing.assert_allclose(quarter, full * (0.25 if name == "slow" else 1), rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("warmup", [0, 50, 200])
@pytest.mark.parametrize("steps", [1, 2, 50, 168, 200, 400, 10_000])
def test_rate_reaches_its_floor_at_the_last_step_alone(steps, warmup):
    stage = StageConfig("s", epochs=1, learning_rate=2e-3, warmup_steps=warmup)
    schedule = build_optimizer(stage, steps)._learning_rate
    rates = np.array([float(schedule(float(step))) for step in range(steps)])
    assert rates[-1] == pytest.approx(0.02 * 2e-3, rel=1e-4)
    # One float32 rounding above the floor is enough: the last but one of 10,000 steps is close.
    assert (rates[:-1] > rates[-1]).all()
    if steps >= 50:
        peak = min(warmup, steps // 2)
        assert rates.max() == pytest.approx(2e-3, rel=1e-2)
        assert np.argmax(rates) in (peak - 1, peak)
        assert (np.diff(rates[peak:]) <= 0).all()
        assert 0.45 < rates.mean() / 2e-3 < 0.55  # a standstill in the second half would show
