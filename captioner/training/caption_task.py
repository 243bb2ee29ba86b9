"""Training of a model that writes captions: its stages, their batches, scores and presets."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from captioner.captioning import CaptionHead
from captioner.datasets.dataset import Example
from captioner.datasets.mixture import read_mixture
from captioner.engines.keras import KerasEngine, compiled
from captioner.engines.runtime import compute_policy
from captioner.errors import CaptionerError
from captioner.evaluation.scores import score_captions
from captioner.exports.graphs import can_export, export_graphs
from captioner.models.clip_features import pad_clips
from captioner.models.decoder import Decoder
from captioner.models.vgg16 import VGG16Encoder
from captioner.presets.network import build_network, capture_weights
from captioner.presets.storage import Preset, read_preset, write_preset
from captioner.text.subwords import WORDPIECE, Subwords
from captioner.text.vocabulary import Vocabulary
from captioner.training.batches import Batches, CaptionBatches
from captioner.training.caption_model import (
    CaptionModel,
    NextWordLoss,
    Teachers,
    build_stage_network,
    read_teacher,
    read_teachers,
)
from captioner.training.card import describe_training, write_card
from captioner.training.config import StageConfig, TrainConfig
from captioner.training.data_summary import least_count, split_sizes, word_summary
from captioner.training.epoch_samples import choose_shown
from captioner.training.perplexity import CaptionPerplexity
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
from captioner.training.self_critical import CaptionReward, CaptionSampler, SelfCriticalBatches
from captioner.training.stage_data import StageData
from captioner.training.stage_options import caption_options
from captioner.training.subword_training import split_captions, train_subwords
from captioner.training.validation import Lesson, Scored


class CaptionTask:
    """Trains a network that writes captions; a presence stage trains its word detector.

    Args:
        config: Config of the training.

    Raises:
        CaptionerError: If the data set or a preset of the config cannot be read.
    """

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.policy = compute_policy(config.precision)
        self.mixture = read_mixture(config.data, config.strict)
        taken = None if config.vocabulary is None else read_preset(config.vocabulary).vocabulary
        if isinstance(taken, Subwords) or (taken is None and config.tokenizer == WORDPIECE):
            keep_case = config.keep_case if taken is None else taken.keep_case
            self.mixture = split_captions(self.mixture, keep_case)
        self.dataset = self.mixture.dataset
        self.vocabulary = self._build_vocabulary() if taken is None else taken
        # Most tokens of a caption, in training and in generation.
        self.most_tokens = self.vocabulary.token_limit(config.max_length)
        for name in {name for stage in config.stages for name in stage.teachers}:
            read_teacher(name, self.vocabulary)  # before features are computed for hours
        self.presence_words = self._choose_presence_words()
        self._graphs: dict[str, bytes] | None = None

    def summary(self) -> list[str]:
        """Return lines that describe the training data."""
        what = "clips" if self.dataset.has_clips else "images"
        words = word_summary(self._taught_captions(), self.vocabulary)
        return [f"{split_sizes(self.dataset)} {what}", words]

    def options(self, stage: StageConfig, start: Path | None) -> dict[str, Any]:
        """Return all options that affect the result of a stage."""
        return caption_options(self.config, stage, self.mixture, self.vocabulary, start)

    def prepare(self, stage: StageConfig, start: Path | None, features: Path) -> Lesson:
        """Build the network of a stage, its training batches and its scoring.

        Args:
            stage: Config of the stage.
            start: Preset with the initial weights of the stage; None for a fresh decoder.
            features: Folder of the feature store of the stage's initial encoder.
        """
        encoder, decoder = build_stage_network(
            self.config, stage, self.vocabulary, start, self.policy
        )
        teachers = (
            read_teachers(stage.teachers, encoder, self.vocabulary, self.policy)
            if stage.teachers
            else None
        )
        targets = PresenceTargets(self.presence_words, self.mixture)
        presence = (
            PresenceData(targets, compiled(decoder.presence)) if self.presence_words else None
        )
        data = StageData(features, stage, self.mixture, encoder, self.config.views, presence)

        def save(folder: Path, scores: dict[str, float]) -> None:
            training = describe_training(self.options(stage, start), stage.name, scores)
            self._save(folder, encoder, decoder, training, data.stored_frames)

        if stage.objective == "presence":
            return self._presence_lesson(stage, data, encoder, decoder, targets, save)
        return self._caption_lesson(stage, data, encoder, decoder, teachers, save)

    def _build_vocabulary(self) -> Vocabulary:
        config = self.config
        captions = self._taught_captions()
        min_count = config.min_count or least_count(len(captions))
        if config.tokenizer == WORDPIECE:
            return train_subwords(
                captions, config.pieces, min_count, config.max_length, config.keep_case
            )
        return Vocabulary.build(captions, min_count)

    def _taught_captions(self) -> list[tuple[str, ...]]:
        return [
            words
            for example in self.mixture.split("train")
            if example.path  # a word that no image shows would be used at random
            for words in example.tokens
        ]

    def _choose_presence_words(self) -> list[str]:
        """Return the words of the detector: those of the preset to start from, or new ones."""
        count = self.config.decoder.get("presence", 0)
        given = self.config.start or self.config.encoder.get("preset")
        if count and given is not None:
            known: list[str] = read_preset(given).config.get("presence_words", [])
            if len(known) == count:
                return known
        return choose_words(self.mixture, count) if count else []

    def _caption_lesson(
        self,
        stage: StageConfig,
        data: StageData,
        encoder: VGG16Encoder,
        decoder: Decoder,
        teachers: Teachers | None,
        save: Any,
    ) -> Lesson:
        if self.presence_words:
            decoder.presence.trainable = False
        generation = {"max_length": self.config.max_length, **self.config.validation}
        head = CaptionHead(KerasEngine(encoder, decoder), self.vocabulary, generation)
        on_policy = stage.objective == "self_critical"
        return Lesson(
            model=CaptionModel(encoder, decoder, teachers, stage.distillation),
            # The weights of sampled captions have either sign, and the sampler skips some tokens.
            loss=NextWordLoss(reduction="mean", suppressed_ids=self.vocabulary.unspoken_ids)
            if on_policy
            else NextWordLoss(stage.label_smoothing),
            batches=self._sampled(stage, data, decoder)
            if on_policy
            else self._written(stage, data),
            trained=[encoder, decoder] if stage.trainable_from else [decoder],
            score=lambda: self._score(head, data),
            reported=_reported(("BLEU-4", "CIDEr"), data),
            save=save,
            shown=choose_shown(data.validation),
            loss_weight=1 - stage.distillation,
            on_policy=on_policy,
            # Human captions do not measure a model that is trained on its own samples.
            perplexity=None if on_policy else self._perplexity(head, decoder, data),
        )

    def _perplexity(
        self, head: CaptionHead, decoder: Decoder, data: StageData
    ) -> Callable[[], float]:
        measured = CaptionPerplexity(
            decoder, self.vocabulary, self.config.captions_per_image, self.most_tokens
        )

        def batches() -> Iterator[tuple[list[Example], Sequence[np.ndarray]]]:
            for name, examples in data.validation.items():
                known = {example.id: example for example in examples}
                for ids, clips in data.validation_clips(name, head.engine):
                    yield [known[id_] for id_ in ids], clips

        return lambda: measured.measure(batches())

    def _written(self, stage: StageConfig, data: StageData) -> Batches:
        """Return batches of human captions."""
        return CaptionBatches(
            data.train,
            self.vocabulary,
            data.read,
            batch_size=stage.batch_size,
            captions_per_image=self.config.captions_per_image,
            max_length=self.most_tokens,
            seed=self.config.seed,
            draw_epoch=data.draw_epoch,
            workers=2,
            max_queue_size=4,
        )

    def _sampled(self, stage: StageConfig, data: StageData, decoder: Decoder) -> Batches:
        """Return batches of captions that the decoder samples."""
        return SelfCriticalBatches(
            data.train,
            self.vocabulary,
            data.read,
            CaptionSampler(decoder, self.vocabulary, stage.samples, self.most_tokens),
            CaptionReward(data.train, stage.bleu_weight),
            batch_size=stage.batch_size,
            seed=self.config.seed,
            draw_epoch=data.draw_epoch,
        )

    def _presence_lesson(
        self,
        stage: StageConfig,
        data: StageData,
        encoder: VGG16Encoder,
        decoder: Decoder,
        targets: PresenceTargets,
        save: Any,
    ) -> Lesson:
        engine = KerasEngine(encoder, decoder)
        presence = compiled(decoder.presence)

        def score() -> Scored:
            scores = {}
            for name, examples in data.validation.items():
                found = [
                    np.asarray(presence(*pad_clips(clips)))
                    for _, clips in data.validation_clips(name, engine)
                ]
                expected = stack_targets(targets, examples)
                scores[name] = {"mAP": mean_average_precision(expected, np.concatenate(found))}
            return Scored(self._combine(scores), {})

        return Lesson(
            model=PresenceModel(encoder, decoder.presence),
            loss=PresenceLoss(),
            batches=PresenceBatches(
                data.train,
                data.read,
                targets,
                batch_size=stage.batch_size,
                seed=self.config.seed,
                draw_epoch=data.draw_epoch,
                workers=2,
                max_queue_size=4,
            ),
            trained=[encoder, decoder.presence] if stage.trainable_from else [decoder.presence],
            score=score,
            reported=_reported(("mAP",), data),
            save=save,
            is_final=False,
        )

    def _score(self, head: CaptionHead, data: StageData) -> Scored:
        """Caption the validation splits and score them."""
        scores = {}
        written: dict[str, str] = {}
        for name, examples in data.validation.items():
            captions = {
                id_: "" if isinstance(caption, CaptionerError) else " ".join(caption.words)
                for ids, clips in data.validation_clips(name, head.engine)
                for id_, caption in zip(ids, head.caption_features(clips), strict=True)
            }
            written |= captions
            scores[name] = score_captions(captions, {e.id: e.sentences for e in examples})
        return Scored(self._combine(scores), written)

    def _combine(self, scores: dict[str, dict[str, float]]) -> dict[str, float]:
        """Average over the data sets by their weights; if there are several, add each one's own."""
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

    def _save(
        self,
        folder: Path,
        encoder: VGG16Encoder,
        decoder: Decoder,
        training: dict[str, Any],
        frames: int,
    ) -> None:
        config: dict[str, Any] = {
            "encoder": encoder.options,
            "decoder": {"name": self.config.decoder["name"], **decoder.options},
            "generation": {"max_length": self.config.max_length, **self.config.validation},
            "training": training,
        }
        if frames > 1:
            config["frames"] = frames
        if self.presence_words:
            config["presence_words"] = self.presence_words
        card = write_card(self.config, self.dataset, training["validation"])
        preset = Preset(config, self.vocabulary, capture_weights(encoder, decoder), card)
        if self._graphs is None:  # all presets of a training share them; only the weights change
            self._graphs = export_graphs(*build_network(preset)) if can_export() else {}
        write_preset(folder, replace(preset, graphs=self._graphs), overwrite=True)


def _reported(metrics: tuple[str, ...], data: StageData) -> tuple[str, ...]:
    """Return the metrics in the order of an epoch's line: each data set's, then the mean."""
    names = list(data.validation) if len(data.validation) > 1 else []
    return (*(f"{metric} {name}" for name in names for metric in metrics), *metrics)
