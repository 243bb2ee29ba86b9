"""Training of a captioner, stage by stage, by a config."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from captioner.datasets.mixture import read_mixture
from captioner.decoders.decoder import Decoder
from captioner.decoding.search import search_captions
from captioner.engines.keras import JIT_COMPILE, KerasEngine, compiled
from captioner.engines.precision import compute_policy
from captioner.errors import CaptionerError
from captioner.evaluation.scores import score_captions
from captioner.presets.graphs import can_export, export_graphs
from captioner.presets.network import build_network, capture_weights
from captioner.presets.storage import Preset, preset_folder, read_preset, write_preset
from captioner.text.vocabulary import Vocabulary
from captioner.training.averaging import AverageWeights
from captioner.training.caption_model import CaptionModel
from captioner.training.card import write_card
from captioner.training.config import StageConfig, TrainConfig
from captioner.training.loss import NextWordLoss
from captioner.training.optimizer import build_optimizer
from captioner.training.presence import (
    PresenceBatches,
    PresenceData,
    PresenceLoss,
    PresenceModel,
    PresenceTargets,
    choose_words,
    mean_average_precision,
    stack_targets,
)
from captioner.training.progress import Progress
from captioner.training.self_critical import SelfCriticalBatches
from captioner.training.stage_batches import build_batches
from captioner.training.stage_data import StageData
from captioner.training.stage_network import build_stage_network
from captioner.training.stage_options import caption_options, hold_options
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
        >>> config = read_config("vgg16_top_down_flickr8k")
        >>> Trainer(config).train()  # doctest: +SKIP
        PosixPath('runs/vgg16_top_down_flickr8k/finetune/best')
    """

    def __init__(self, config: TrainConfig, report: Callable[[str], None] = print) -> None:
        self.config = config
        self.report = report
        self._graphs: dict[str, bytes] | None = None
        self._scores: dict[Path, float] = {}  # of the best preset of each caption stage
        self.policy = compute_policy(config.precision)
        self.mixture = read_mixture(config.data)
        self.vocabulary = self._choose_vocabulary()
        self.presence_words = self._choose_presence_words()

    def train(self) -> Path:
        """Run all stages; return the folder of the best preset of all that write captions."""
        start = None if self.config.start is None else preset_folder(self.config.start)
        features = Path(self.config.features)
        for stage in self.config.stages:
            start = self._train_stage(stage, start, features)
            if stage.trainable_from is not None:
                features = start.parent / "features"  # of the encoder as it has become
        assert start is not None  # a config has at least one stage
        return max(self._scores, key=lambda best: self._scores[best], default=start)

    def _choose_vocabulary(self) -> Vocabulary:
        if self.config.vocabulary is not None:
            return read_preset(self.config.vocabulary).vocabulary
        captions = (
            words
            for example in self.mixture.split("train")
            if example.path  # a word that no image has taught would be said at random
            for words in example.tokens
        )
        return Vocabulary.build(captions, self.config.min_count)

    def _choose_presence_words(self) -> list[str]:
        """The words of the decoder's presence: those of the preset that it begins with, or new."""
        count = self.config.decoder.get("presence", 0)
        given = self.config.start or self.config.encoder.get("preset")
        if count and given is not None:
            known: list[str] = read_preset(given).config.get("presence_words", [])
            if len(known) == count:
                return known
        return choose_words(self.mixture, count) if count else []

    def _train_stage(self, stage: StageConfig, start: Path | None, features: Path) -> Path:
        folder = Path(self.config.run) / stage.name
        folder.mkdir(parents=True, exist_ok=True)
        options = caption_options(self.config, stage, self.mixture, self.vocabulary, start)
        hold_options(folder, options)
        keras.utils.set_random_seed(self.config.seed)
        encoder, decoder = build_stage_network(
            self.config, stage, self.vocabulary, start, self.policy
        )
        presence = None
        targets = PresenceTargets(self.presence_words, self.mixture)
        if self.presence_words:
            presence = PresenceData(targets, compiled(decoder.presence))
        data = StageData(features, stage, self.mixture, encoder, self.config.views, presence)
        build = self._build_presence if stage.objective == "presence" else self._build_captions
        model, batches, trained, score, reported = build(stage, data, encoder, decoder)
        optimizer = build_optimizer(stage, steps=stage.epochs * len(batches))
        model.compile(
            optimizer,
            _loss(stage, self.vocabulary),
            loss_weights=[1 - stage.distillation],
            jit_compile=JIT_COMPILE,
        )
        optimizer.build(model.trainable_variables)
        if isinstance(model, CaptionModel):
            _build_loss(model, len(self.vocabulary))
        best = folder / "best"

        def save_best(scores: dict[str, float]) -> None:
            self._save_preset(best, encoder, decoder, scores, data.stored_frames)

        validation = Validation(
            folder,
            variables=lambda: [v for part in (*trained, optimizer) for v in part.variables],
            score=score,
            save_best=save_best,
            patience=stage.patience,
            report=lambda line: self.report(f"{stage.name} {line}"),
            seed=self.config.seed,
            reported=reported,
        )
        progress = Progress(report=lambda line: self.report(f"{stage.name} {line}"))
        callbacks = [progress, validation]
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
        if stage.objective != "presence":
            # Of equal ones the later: a dictionary keeps the order, and max takes the first.
            score = max(row["CIDEr"] for row in validation.history)
            self._scores = {best: score, **self._scores}
        return best

    def _build_captions(
        self, stage: StageConfig, data: StageData, encoder: VGG16Encoder, decoder: Decoder
    ) -> tuple[Any, ...]:
        """Model, batches, trained parts, scoring and its reported lines of a caption stage."""
        if self.presence_words:
            decoder.presence.trainable = False
        teachers = (
            read_teachers(stage.teachers, encoder, self.vocabulary, self.policy)
            if stage.teachers
            else None
        )
        model = CaptionModel(encoder, decoder, teachers, stage.distillation)
        batches = build_batches(self.config, stage, data, self.vocabulary, decoder)
        engine = KerasEngine(encoder, decoder)
        trained = [encoder, decoder] if stage.trainable_from else [decoder]
        reported = _reported(("BLEU-4", "CIDEr"), data)
        return model, batches, trained, lambda: self._score(engine, data), reported

    def _build_presence(
        self, stage: StageConfig, data: StageData, encoder: VGG16Encoder, decoder: Decoder
    ) -> tuple[Any, ...]:
        """The same of a stage that trains the presence of words."""
        targets = PresenceTargets(self.presence_words, self.mixture)
        batches = PresenceBatches(
            data.train,
            data.read,
            targets,
            batch_size=stage.batch_size,
            seed=self.config.seed,
            draw_epoch=data.draw_epoch,
            workers=2,
            max_queue_size=4,
        )
        engine = KerasEngine(encoder, decoder)
        presence = compiled(decoder.presence)

        def score() -> dict[str, float]:
            scores = {}
            for name, examples in data.validation.items():
                found = [
                    np.asarray(presence(inputs["features"], inputs.get("frame_mask")))
                    for _, inputs in data.validation_inputs(name, engine)
                ]
                expected = stack_targets(targets, examples)
                scores[name] = {"mAP": mean_average_precision(expected, np.concatenate(found))}
            return self._combine(scores)

        trained = [encoder, decoder.presence] if stage.trainable_from else [decoder.presence]
        model = PresenceModel(encoder, decoder.presence)
        return model, batches, trained, score, _reported(("mAP",), data)

    def _score(self, engine: KerasEngine, data: StageData) -> dict[str, float]:
        """Caption the validation splits and score them."""
        return self._combine(
            {name: self._score_part(name, engine, data) for name in data.validation}
        )

    def _score_part(self, name: str, engine: KerasEngine, data: StageData) -> dict[str, float]:
        candidates = {}
        for image_ids, inputs in data.validation_inputs(name, engine):
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
            for example in data.validation[name]
        }
        return score_captions(candidates, references)

    def _combine(self, scores: dict[str, dict[str, float]]) -> dict[str, float]:
        """The mean over the data sets by their weights, and, of several, each one's own scores."""
        weights = {part.settings.name: part.settings.validation for part in self.mixture.parts}
        chosen = [weights[name] for name in scores]
        if sum(chosen) == 0:
            raise CaptionerError("no data set with a val split has a validation weight above 0")
        mean = {
            metric: float(np.average([own[metric] for own in scores.values()], weights=chosen))
            for metric in next(iter(scores.values()))
        }
        if len(scores) == 1:
            return mean
        own = {f"{m} {name}": v for name, values in scores.items() for m, v in values.items()}
        return {**own, **mean}

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
        if frames > 1:
            config["frames"] = frames
        if self.presence_words:
            config["presence_words"] = self.presence_words
        card = write_card(self.config, self.mixture.dataset, scores)
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


def _reported(metrics: tuple[str, ...], data: StageData) -> tuple[str, ...]:
    """Metrics in the order in which an epoch's line gives them: each data set's, then the mean."""
    names = list(data.validation) if len(data.validation) > 1 else []
    return (*(f"{metric} {name}" for name in names for metric in metrics), *metrics)


def _loss(stage: StageConfig, vocabulary: Vocabulary) -> keras.losses.Loss:
    if stage.objective == "presence":
        return PresenceLoss()
    if stage.objective == "self_critical":
        # The weights have either sign, and the sampler leaves some words out.
        return NextWordLoss(reduction="mean", suppressed_ids=vocabulary.unspoken_ids)
    return NextWordLoss(stage.label_smoothing)
