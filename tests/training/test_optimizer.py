import keras
import numpy as np

from captioner.training.optimizer import TwoRateAdam


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


def test_config_round_trip():
    copy = TwoRateAdam.from_config(TwoRateAdam(0.1, encoder_scale=0.5).get_config())
    assert copy.encoder_scale == 0.5
