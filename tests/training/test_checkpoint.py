import keras
import numpy as np
import pytest

from captioner.errors import CaptionerError
from captioner.training.validation import load_checkpoint, save_checkpoint


def make():
    layer = keras.layers.Dropout(0.5)
    dense = keras.layers.Dense(3)
    dense.build((None, 2))
    steps = keras.Variable(7, dtype="int64")  # a scalar, as optimizers count their steps
    return layer, [*dense.variables, *layer.variables, steps]


def test_round_trip_includes_the_state_of_dropout(tmp_path):
    keras.utils.set_random_seed(1)
    layer, variables = make()
    save_checkpoint(tmp_path / "c.safetensors", variables, {"history": [{"epoch": 1}]})
    drawn = np.asarray(layer(np.ones((4, 50), "float32"), training=True))

    other_layer, other = make()
    assert load_checkpoint(tmp_path / "c.safetensors", other) == {"history": [{"epoch": 1}]}
    np.testing.assert_array_equal(np.asarray(variables[0]), np.asarray(other[0]))
    redrawn = np.asarray(other_layer(np.ones((4, 50), "float32"), training=True))
    np.testing.assert_array_equal(drawn, redrawn)


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    _, variables = make()
    save_checkpoint(tmp_path / "c.safetensors", variables[:1], {})
    with pytest.raises(CaptionerError, match="of another network"):
        load_checkpoint(tmp_path / "c.safetensors", variables)


def test_a_broken_checkpoint_is_named(tmp_path):
    _, variables = make()
    (tmp_path / "c.safetensors").write_bytes(b"broken")
    with pytest.raises(CaptionerError, match=r"c\.safetensors cannot be loaded"):
        load_checkpoint(tmp_path / "c.safetensors", variables)
