import keras
import numpy as np
import pytest

from captioner.errors import CaptionerError
from captioner.models.vgg16 import VGG16Encoder


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(0).integers(0, 256, (2, 2, 224, 224, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def encoder():
    keras.utils.set_random_seed(0)
    return VGG16Encoder(grid=7, weights=None, dtype="float32")


def test_equals_time_distributed_vgg16_with_keras_own_preprocessing(encoder, frames):
    reference = keras.layers.TimeDistributed(encoder.backbone)
    pixels = keras.applications.vgg16.preprocess_input(frames.astype("float32"))
    expected = np.asarray(reference(pixels)).reshape(2, 2, 49, 512)
    np.testing.assert_allclose(np.asarray(encoder(frames)), expected, atol=1e-4, rtol=1e-4)


def test_places_run_row_by_row(encoder, frames):
    grid = np.asarray(
        encoder.backbone(keras.applications.vgg16.preprocess_input(frames[0].astype("float32")))
    )
    np.testing.assert_allclose(np.asarray(encoder(frames[:1]))[0, 1, 9], grid[1, 1, 2], rtol=1e-4)


def test_finer_grid_is_the_last_convolution(frames):
    encoder = VGG16Encoder(grid=14, weights=None, dtype="float32")
    features = np.asarray(encoder(frames[:1, :1]))
    assert features.shape == (1, 1, 196, 512) == encoder.compute_output_shape((1, 1, 224, 224, 3))
    assert encoder.locations == 196


@pytest.mark.parametrize(
    ("trainable_from", "first"),
    [(None, None), ("block5", "block5_conv1"), ("block1", "block1_conv1")],
)
def test_trains_from_the_named_block_up(trainable_from, first):
    encoder = VGG16Encoder(weights=None, trainable_from=trainable_from)
    trained = [v.path.split("/")[-2] for v in encoder.trainable_variables]
    assert (trained[0] if trained else None) == first
    assert not trained or trained[-1] == "block5_conv3"


@pytest.mark.slow
def test_weight_file_round_trip(encoder, frames, tmp_path):
    path = tmp_path / "vgg16.weights.h5"
    keras.applications.VGG16(weights=None, include_top=False, input_shape=(224, 224, 3))
    encoder.backbone.save_weights(path)
    loaded = VGG16Encoder(weights=path, dtype="float32")
    assert loaded.fingerprint() == encoder.fingerprint()
    assert loaded.fingerprint() != VGG16Encoder(weights=None).fingerprint()
    half = VGG16Encoder(weights=None, dtype="float32")  # as a preset keeps it
    half.backbone.set_weights([w.astype("float16") for w in encoder.backbone.get_weights()])
    assert half.fingerprint() == encoder.fingerprint()
    np.testing.assert_array_equal(np.asarray(loaded(frames)), np.asarray(encoder(frames)))


def test_wrong_arguments_are_named(tmp_path):
    with pytest.raises(CaptionerError, match="grid is 8"):
        VGG16Encoder(grid=8, weights=None)
    with pytest.raises(CaptionerError, match="block9"):
        VGG16Encoder(weights=None, trainable_from="block9")
    with pytest.raises(CaptionerError, match=r"absent\.h5: there is no such file"):
        VGG16Encoder(weights=tmp_path / "absent.h5")
    broken = tmp_path / "broken.h5"
    broken.write_bytes(b"no weights")
    with pytest.raises(CaptionerError, match=r"broken\.h5: they could not be loaded"):
        VGG16Encoder(weights=broken)
