"""The batches that a stage learns from: human captions, or the model's own."""

from captioner.decoders.decoder import Decoder
from captioner.text.vocabulary import Vocabulary
from captioner.training.batches import CaptionBatches
from captioner.training.caption_sampler import CaptionSampler
from captioner.training.config import StageConfig, TrainConfig
from captioner.training.reward import CaptionReward
from captioner.training.self_critical import SelfCriticalBatches
from captioner.training.stage_data import StageData


def build_batches(
    config: TrainConfig,
    stage: StageConfig,
    data: StageData,
    vocabulary: Vocabulary,
    decoder: Decoder,
) -> CaptionBatches | SelfCriticalBatches:
    """Builds the data set that `fit` is given.

    Args:
        config: The training's.
        stage: The stage's; its objective decides.
        data: The stage's pictures or features.
        vocabulary: Words and ids.
        decoder: It writes the captions of self-critical training.
    """
    if stage.objective == "self_critical":
        return SelfCriticalBatches(
            data.train,
            vocabulary,
            data.read,
            CaptionSampler(decoder, vocabulary, stage.samples, config.max_length),
            CaptionReward(data.train, stage.bleu_weight),
            batch_size=stage.batch_size,
            seed=config.seed,
            draw_epoch=data.draw_epoch,
        )
    return CaptionBatches(
        data.train,
        vocabulary,
        data.read,
        batch_size=stage.batch_size,
        captions_per_image=config.captions_per_image,
        max_length=config.max_length,
        seed=config.seed,
        draw_epoch=data.draw_epoch,
        workers=2,
        max_queue_size=4,
    )
