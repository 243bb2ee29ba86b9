"""Training from a config, stage by stage, for all tasks."""

from collections.abc import Callable
from pathlib import Path

import keras

from captioner.engines.keras import JIT_COMPILE
from captioner.errors import CaptionerError
from captioner.presets.storage import preset_folder
from captioner.training.activity_task import ActivityTask
from captioner.training.caption_task import CaptionTask
from captioner.training.config import ActivityConfig, StageConfig, TrainConfig
from captioner.training.optimizer import AverageWeights, build_optimizer
from captioner.training.self_critical import fit_on_policy
from captioner.training.stage_options import hold_options
from captioner.training.validation import Lesson, Progress, Validation
from captioner.training.workers import InStep, fit_shares, join_workers


class Trainer:
    """Trains the stages of a config; resumes a killed run.

    Args:
        config: Config from `read_config`; its task selects the kind of training.
        report: Function that is called with each line of progress.

    Raises:
        CaptionerError: If the data set or the weights cannot be read.

    Example:
        >>> from captioner.training.config import read_config
        >>> config = read_config("vgg16_top_down_flickr8k")
        >>> Trainer(config).train()  # doctest: +SKIP
        PosixPath('runs/vgg16_top_down_flickr8k/finetune/best')
    """

    def __init__(
        self, config: TrainConfig | ActivityConfig, report: Callable[[str], None] = print
    ) -> None:
        self.workers = join_workers()
        self.config = config
        self.report = report if self.workers.is_chief else lambda line: None
        self.task: CaptionTask | ActivityTask = (
            ActivityTask(config) if isinstance(config, ActivityConfig) else CaptionTask(config)
        )
        for line in (*self.task.dataset.left_out(), *self.task.summary()):
            self.report(line)

    def train(self) -> Path:
        """Run all stages; return the folder of the best preset that can be the result."""
        start = None if self.config.start is None else preset_folder(self.config.start)
        features = Path(self.config.features)
        scores: dict[Path, float] = {}
        for number, stage in enumerate(self.config.stages, start=1):
            if len(self.config.stages) > 1:
                self.report(f"stage {number} of {len(self.config.stages)}: {stage.name}")
            folder = Path(self.config.run) / stage.name
            folder.mkdir(parents=True, exist_ok=True)
            hold_options(folder, self.task.options(stage, start))
            keras.utils.set_random_seed(self.config.seed)
            with self.workers.building():
                lesson = self.task.prepare(stage, start, features)
            start, score = self._train_stage(stage, lesson)
            if lesson.is_final:
                # Of equal scores, the later stage wins: max() takes the first in the dictionary.
                scores = {start: score, **scores}
            if stage.trainable_from is not None:
                features = start.parent / "features"  # features of the newly trained encoder
        assert start is not None  # a config has at least one stage
        return max(scores, key=lambda best: scores[best], default=start)

    def _train_stage(self, stage: StageConfig, lesson: Lesson) -> tuple[Path, float]:
        """Train one stage; return the folder of its best preset, and the score of that preset."""
        folder = Path(self.config.run) / stage.name
        model, batches = lesson.model, lesson.batches
        if lesson.on_policy and self.workers.count > 1:
            raise CaptionerError(
                f"stage {stage.name} samples captions, which one worker does: run the same command "
                "without --workers to resume from here"
            )
        with self.workers.building():
            optimizer = build_optimizer(stage, steps=stage.epochs * len(batches))
            model.compile(
                optimizer,
                lesson.loss,
                loss_weights=[lesson.loss_weight],
                jit_compile=JIT_COMPILE,
            )
            optimizer.build(model.trainable_variables)

        def report(line: str) -> None:
            self.report(f"{stage.name} {line}".lstrip())

        validation = Validation(
            folder,
            variables=lambda: [v for part in (*lesson.trained, optimizer) for v in part.variables],
            score=lesson.score,
            save_best=lambda scores: lesson.save(folder / "best", scores),
            patience=stage.patience,
            report=report,
            seed=self.config.seed,
            reported=lesson.reported,
            shown=lesson.shown,
            perplexity=lesson.perplexity,
        )
        callbacks = [Progress(report), validation] if self.workers.is_chief else []
        if self.workers.count > 1:
            callbacks.append(InStep(self.workers))
        if stage.ema:
            callbacks.insert(0, AverageWeights(resumed=validation.checkpoint.exists()))
        done = validation.resume()
        if done < stage.epochs and not validation.finished:
            batches.set_epoch(done)
            span = {"initial_epoch": done, "epochs": stage.epochs}
            if lesson.on_policy:
                fit_on_policy(model, batches, **span, callbacks=callbacks)
            elif self.workers.count > 1:
                fit_shares(model, batches, self.workers, **span, callbacks=callbacks)
                validation.resume()  # what the chief has measured
            else:
                # The batches shuffle themselves, in the same order after a resume.
                model.fit(batches, **span, shuffle=False, verbose=0, callbacks=callbacks)
        return folder / "best", max(row[lesson.reported[-1]] for row in validation.history)
