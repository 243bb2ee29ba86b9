"""The network that a stage of a training begins with."""

from pathlib import Path

from captioner.decoders.build import build_decoder
from captioner.decoders.decoder import Decoder
from captioner.errors import CaptionerError
from captioner.presets.network import (
    assign_encoder_weights,
    assign_presence_weights,
    assign_weights,
)
from captioner.presets.storage import preset_folder, read_preset
from captioner.text.vocabulary import Vocabulary
from captioner.training.config import StageConfig, TrainConfig
from captioner.vision.encoder import FILTERS, VGG16Encoder


def build_stage_network(
    config: TrainConfig,
    stage: StageConfig,
    vocabulary: Vocabulary,
    start: Path | None,
    policy: str,
) -> tuple[VGG16Encoder, Decoder]:
    """Build encoder and decoder, with the weights of the stage before, of a preset, or new ones.

    Args:
        config: The training's.
        stage: The stage's.
        vocabulary: The words of the train split.
        start: Folder of the preset whose weights both parts take; None for a fresh decoder, on the
            encoder that the config names.
        policy: The Keras dtype policy.

    Raises:
        CaptionerError: If weights are missing, or are of another network or vocabulary.
    """
    options = {"weights": "imagenet", **config.encoder}
    taken = options.pop("preset", None)
    source = start or taken
    preset = None if source is None else read_preset(preset_folder(source))
    if preset is not None:  # its weights replace those
        options |= {"weights": None, "filters": preset.config["encoder"].get("filters", FILTERS)}
    encoder = VGG16Encoder(**options, trainable_from=stage.trainable_from, dtype=policy)
    # Captions are sampled without dropout; a gradient taken with it is that of another policy.
    dropout = {"dropout": 0.0} if stage.objective == "self_critical" else {}
    decoder = build_decoder(
        **{**config.decoder, **dropout},
        channels=encoder.channels,
        vocabulary_size=len(vocabulary),
        dtype=policy,
    )
    if preset is not None and start is not None:
        if preset.vocabulary != vocabulary:
            raise CaptionerError(
                f"{start}: its words are not those of this data set: train a fresh decoder on its "
                "encoder, by `encoder: {preset: NAME}` instead of `start`"
            )
        assign_weights(encoder, decoder, preset)
    elif preset is not None:
        assign_encoder_weights(encoder, preset)
        words = config.decoder.get("presence", 0)
        if words and len(preset.config.get("presence_words", [])) == words:
            assign_presence_weights(decoder, preset)
    if stage.sharpen != 1:
        if config.decoder.get("tie_embeddings"):
            raise CaptionerError(
                f"stage {stage.name}: sharpen needs a decoder without tied vectors"
            )
        for weight in decoder.word_logits.weights:
            weight.assign(stage.sharpen * weight)
    return encoder, decoder
