import keras
import numpy as np
import pytest

from captioner.errors import CaptionerError
from captioner.models.vgg16 import FrozenBlocks, VGG16Encoder, trained_blocks


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(0).integers(0, 256, (1, 1, 224, 224, 3), dtype=np.uint8)


def test_both_parts_together_are_the_encoder(frames):
    keras.utils.set_random_seed(0)
    encoder = VGG16Encoder(weights=None, trainable_from="block4", dtype="float32")
    frozen = FrozenBlocks(encoder)
    rest = trained_blocks(encoder, frozen)
    expected = np.asarray(encoder(frames)).reshape(1, 1, 7, 7, 512)
    np.testing.assert_allclose(np.asarray(rest(frozen(frames))), expected, atol=1e-7)
    assert not frozen.trainable_variables
    assert {id(v) for v in rest.trainable_variables} == {id(v) for v in encoder.trainable_variables}


def test_other_sizes_have_other_grids(frames):
    encoder = VGG16Encoder(weights=None)
    frozen = FrozenBlocks(encoder, 64)
    assert trained_blocks(encoder, frozen) is None
    assert frozen(frames[:, :, :64, :64]).shape == (1, 1, 2, 2, 512)
    assert frozen.fingerprint() != FrozenBlocks(encoder, 96).fingerprint()


def test_what_cannot_be_cut_is_named():
    with pytest.raises(CaptionerError, match="side of 100 pixels: choose a multiple of 32"):
        FrozenBlocks(VGG16Encoder(weights=None), 100)
    with pytest.raises(CaptionerError, match="freeze at least block1"):
        FrozenBlocks(VGG16Encoder(weights=None, trainable_from="block1"))
