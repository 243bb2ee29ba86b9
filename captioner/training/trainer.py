"""Training of a captioner, stage by stage, by a config."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
from keras import ops

from captioner.datasets.readers import read_dataset
from captioner.decoders.decoder import Decoder
from captioner.decoding.search import search_captions
from captioner.engines.keras import JIT_COMPILE, KerasEngine
from captioner.engines.precision import compute_policy
from captioner.evaluation.scores import score_captions
from captioner.presets.graphs import can_export, export_graphs
from captioner.presets.network import build_network, capture_weights
from captioner.presets.storage import Preset, preset_folder, write_preset
from captioner.text.vocabulary import Vocabulary
from captioner.training.averaging import AverageWeights
from captioner.training.caption_model import CaptionModel
from captioner.training.card import write_card
from captioner.training.config import StageConfig, TrainConfig
from captioner.training.loss import NextWordLoss
from captioner.training.optimizer import build_optimizer
from captioner.training.progress import ProgressBar
from captioner.training.self_critical import SelfCriticalBatches
from captioner.training.stage_batches import build_batches
from captioner.training.stage_data import StageData
from captioner.training.stage_network import build_stage_network
from captioner.training.teachers import read_teachers
from captioner.training.validation import Validation
from captioner.vision.encoder import VGG16Encoder


class Trainer:
    """Trains the stages of a config; goes on where a killed run stopped.

    Args:
        config: As `read_config` gives it.
        report: Called with a line of text now and then.

    Raises:
        CaptionerError: If the data set or the weights cannot be read.

    Example:
        >>> from captioner.training.config import read_config
        >>> config = read_config("scripts/configs/vgg16_top_down_flickr8k.yaml")
        >>> Trainer(config).train()  # doctest: +SKIP
        PosixPath('runs/vgg16_top_down_flickr8k/finetune/best')
    """

    def __init__(self, config: TrainConfig, report: Callable[[str], None] = print) -> None:
        self.config = config
        self.report = report
        self._graphs: dict[str, bytes] | None = None
        self.policy = compute_policy(config.precision)
        self.dataset = read_dataset(config.dataset, config.images)
        self.vocabulary = Vocabulary.build(
            (words for example in self.dataset.split("train") for words in example.tokens),
            config.min_count,
        )

    def train(self) -> Path:
        """Runs all stages; returns the folder of the best preset of the last one."""
        start = None if self.config.start is None else preset_folder(self.config.start)
        features = Path(self.config.features)
        for stage in self.config.stages:
            start = self._train_stage(stage, start, features)
            if stage.trainable_from is not None:
                features = start.parent / "features"  # of the encoder as it has become
        assert start is not None  # a config has at least one stage
        return start

    def _train_stage(self, stage: StageConfig, start: Path | None, features: Path) -> Path:
        folder = Path(self.config.run) / stage.name
        folder.mkdir(parents=True, exist_ok=True)
        keras.utils.set_random_seed(self.config.seed)
        encoder, decoder = build_stage_network(
            self.config, stage, self.vocabulary, start, self.policy
        )
        data = StageData(features, stage, self.dataset, encoder, self.config.views)
        batches = build_batches(self.config, stage, data, self.vocabulary, decoder)
        optimizer = build_optimizer(stage, steps=stage.epochs * len(batches))
        teachers = (
            read_teachers(stage.teachers, encoder, self.vocabulary, self.policy)
            if stage.teachers
            else None
        )
        model = CaptionModel(
            encoder, decoder, stage.scheduled_sampling, teachers, stage.distillation
        )
        model.compile(
            optimizer,
            _loss(stage, self.vocabulary),
            loss_weights=[1 - stage.distillation],
            jit_compile=JIT_COMPILE,
        )
        optimizer.build(model.trainable_variables)
        _build_loss(model, len(self.vocabulary))
        engine = KerasEngine(encoder, decoder)
        trained = [encoder, decoder] if stage.trainable_from else [decoder]
        best = folder / "best"

        def save_best(scores: dict[str, float]) -> None:
            self._save_preset(best, encoder, decoder, scores, data.store.frames)

        validation = Validation(
            folder,
            variables=lambda: [
                *(v for part in (*trained, optimizer) for v in part.variables),
                *model.random_state,
            ],
            score=lambda: self._score(engine, data),
            save_best=save_best,
            patience=stage.patience,
            report=lambda line: self.report(f"{stage.name} {line}"),
            seed=self.config.seed,
        )
        callbacks = [ProgressBar(), validation]
        if stage.ema:
            callbacks.insert(0, AverageWeights(resumed=validation.checkpoint.exists()))
        if isinstance(batches, SelfCriticalBatches):
            callbacks.append(batches.lockstep)
        done = validation.resume()
        if done < stage.epochs and not validation.finished:
            batches.set_epoch(done)
            with closing(batches):
                model.fit(
                    batches,
                    initial_epoch=done,
                    epochs=stage.epochs,
                    shuffle=False,  # the batches are, and again so after a kill
                    verbose=0,
                    callbacks=callbacks,
                )
        return best

    def _score(self, engine: KerasEngine, data: StageData) -> dict[str, float]:
        """Captions the validation split and scores it."""
        candidates = {}
        for image_ids, inputs in data.validation_inputs(engine):
            found = search_captions(
                engine,
                self.vocabulary,
                **inputs,
                max_length=self.config.max_length,
                **self.config.validation,
            )
            for image_id, hypotheses in zip(image_ids, found, strict=True):
                words = self.vocabulary.decode(hypotheses[0].token_ids) if hypotheses else []
                candidates[image_id] = " ".join(words)
        references = {
            example.image_id: [" ".join(words) for words in example.tokens]
            for example in data.validation
        }
        return score_captions(candidates, references)

    def _save_preset(
        self,
        folder: Path,
        encoder: VGG16Encoder,
        decoder: Decoder,
        scores: dict[str, float],
        frames: int,
    ) -> None:
        config: dict[str, Any] = {
            "encoder": {"grid": encoder.grid},
            "decoder": {"name": self.config.decoder["name"], **decoder.options},
            "generation": {"max_length": self.config.max_length, **self.config.validation},
        }
        if self.dataset.has_clips:
            config["frames"] = frames
        card = write_card(self.config, self.dataset, scores)
        weights = capture_weights(encoder, decoder)
        preset = Preset(config, self.vocabulary, weights, card)
        if self._graphs is None:  # the weights change from preset to preset, the structure never
            self._graphs = export_graphs(*build_network(preset)) if can_export() else {}
        write_preset(folder, replace(preset, graphs=self._graphs), overwrite=True)


def _build_loss(model: CaptionModel, words: int) -> None:
    """Builds what `fit` would build by a look at the first batch.

    On JAX and PyTorch the batches that Keras reads ahead behind it would be trained on first.
    """
    model.compute_loss(y=ops.zeros((1, 1, 1), "int32"), y_pred=ops.zeros((1, 1, 1, words)))


def _loss(stage: StageConfig, vocabulary: Vocabulary) -> NextWordLoss:
    if stage.objective == "self_critical":
        # The weights have either sign, and the sampler leaves some words out.
        return NextWordLoss(reduction="mean", suppressed_ids=vocabulary.unspoken_ids)
    return NextWordLoss(stage.label_smoothing)
