from captioner.presets.network import load_activity_network
from captioner.presets.storage import read_preset
from captioner.results import ACTIVITY


def test_the_bundled_recognizer_fits_the_bundled_captioner_whose_vgg16_it_uses():
    preset = read_preset("vgg16_lstm_signs", ACTIVITY)
    network = load_activity_network(preset)
    assert network.frozen.features_shape == (7, 7, 512)
    assert network.recognizer.head.classes == len(preset.labels) == 10
