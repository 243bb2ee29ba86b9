"""Replay: features of general images, so that a model that is taught new ones does not forget."""

from pathlib import Path

from captioner.captioning import CaptionHead
from captioner.datasets.feature_set import load_features, write_feature_set
from captioner.errors import CaptionerError
from captioner.presets.network import build_network
from captioner.presets.storage import Preset

BUNDLED = Path(__file__).with_name("replay.features.npz")
_CAPTIONS = 3  # of each image
_BATCH = 100


def write_replay(path: Path, preset: Preset) -> bool:
    """Write the bundled features with what a preset says about them.

    On these features and captions, a taught decoder is trained to predict each next word with the
    probabilities of the preset, so that it keeps what the preset knows. Human captions would not
    do: after self-critical training, a preset no longer writes like them.

    Args:
        path: Feature set to write.
        preset: Preset before it is taught.

    Returns:
        True; False, and nothing is written, if the bundled features are of another VGG16.

    Source: Robins 1995, "Catastrophic forgetting, rehearsal and pseudorehearsal"; Hinton et al.
    2015, https://arxiv.org/abs/1503.02531.
    """
    encoder = build_network(preset)[0].fingerprint()
    try:
        features = load_features(BUNDLED, encoder)[:, None]  # (N, 1, P, C)
    except CaptionerError:
        return False
    head = CaptionHead.from_presets([preset], "auto", "auto")
    found = [
        caption
        for start in range(0, len(features), _BATCH)
        for caption in head.caption_features(
            list(features[start : start + _BATCH]), num_captions=_CAPTIONS
        )
    ]
    described = [
        (own, [one.text for one in (caption, *caption.alternatives)])
        for own, caption in zip(features, found, strict=True)
        if not isinstance(caption, CaptionerError)
    ]
    kept, said = zip(*described, strict=True)
    write_feature_set(path, kept, said, encoder)
    return True
