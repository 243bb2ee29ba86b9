"""The config file of a training: small, strict, readable."""

from collections.abc import Sequence
from dataclasses import field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError
from pydantic import model_validator as check
from pydantic.dataclasses import dataclass

from captioner.datasets.mixture import DataConfig
from captioner.datasets.recipe_values import (
    KNOWN_KEYS_ONLY,
    Count,
    Flag,
    Integer,
    NotNegative,
    PartialShare,
    Positive,
    Share,
    Whole,
)
from captioner.errors import CaptionerError
from captioner.results import ACTIVITY, CAPTION
from captioner.training.recipe import read_recipe

Precision = Literal["auto", "bfloat16", "float32"]
_NOT_OF_TYPE = {
    "tuple_type": "should be a list",
    "too_short": "should list at least one",
    "dict_type": "should consist of `key: value` lines",
    "dataclass_type": "should consist of `key: value` lines",
}


@dataclass(frozen=True, config=KNOWN_KEYS_ONLY)
class StageConfig:
    """One stage of a training: a learning-rate cycle over one kind of input.

    Args:
        name: Name of the stage's folder in the run's folder.
        epochs: Number of passes over the train split, at most.
        learning_rate: Peak of the cosine schedule, for the decoder.
        trainable_from: First block of VGG16 that is trained ("block1" to "block5"); None trains
            only the decoder, on stored features.
        encoder_learning_rate: Peak of the cosine schedule, for the encoder.
        flip: If True, mirror images at random, unless a caption contains left or right.
        crop: Smallest share of an image's area that a random crop keeps; 1 does not crop.
        batch_size: Number of images in a step.
        warmup_steps: Number of steps of linear warm-up.
        label_smoothing: Share of the target spread over the vocabulary.
        clip_norm: Largest norm of the gradient of all weights together.
        objective: "cross_entropy" of human captions, or "self_critical": the reward of captions
            that the model samples; on stored features, without dropout and label smoothing. Or
            "presence": binary cross entropy of the words in an image's captions, for VGG16 and a
            decoder with `presence`.
        sharpen: Factor of the word logits at the start of the stage. Label smoothing leaves a tenth
            of the probability to words that do not fit; with 2, the first samples of self-critical
            training are proper sentences (on Flickr8k their mean reward is 0.87; with 1, 0.24).
        samples: Number of captions that self-critical training samples per image, two or more.
        bleu_weight: Weight of BLEU-4, which is added to CIDEr-D in the reward.
        ema: Momentum of the exponential moving average of the weights, which is validated and
            saved; 0 for none.
        teachers: Presets whose mean probability of each word is learned from, beside the captions:
            an ensemble is distilled into one model. Their encoder must be this training's.
        distillation: Weight of the teachers; the captions have the rest.
        frames: Largest number of versions of an image (the image and its `views`) that are read
            together, as the frames of a clip; the number is drawn at random. A decoder of images
            so learns to attend over frames, as clips and `--mirror` need.
        patience: Number of epochs without a better validation score before the stage ends.
        weight_decay: Weight decay of Adam.
    """

    name: str
    epochs: Count
    learning_rate: NotNegative
    trainable_from: Literal["block1", "block2", "block3", "block4", "block5"] | None = None
    encoder_learning_rate: NotNegative = 0.0
    flip: Flag = False
    crop: Annotated[Positive, Field(le=1)] = 1.0
    batch_size: Count = 32
    warmup_steps: Whole = 200
    label_smoothing: PartialShare = 0.1
    clip_norm: Positive = 1.0
    objective: Literal["cross_entropy", "self_critical", "presence"] = "cross_entropy"
    sharpen: Positive = 1.0
    samples: Count = 5
    bleu_weight: NotNegative = 0.0
    ema: PartialShare = 0.0
    teachers: tuple[str, ...] = ()
    distillation: Share = 0.0
    frames: Count = 1
    patience: Whole = 3
    weight_decay: NotNegative = 0.0

    @check(mode="after")
    def _check_objective(self) -> Self:
        if self.objective == "self_critical":
            if self.trainable_from or self.label_smoothing:
                raise ValueError(
                    "self_critical works on stored features and without label smoothing: leave out "
                    "trainable_from, and set label_smoothing: 0"
                )
            if self.samples < 2:
                raise ValueError(
                    f"samples is {self.samples}: a caption is compared with the others of its "
                    "image, so give two or more"
                )
        if bool(self.teachers) != (self.distillation > 0):
            raise ValueError("teachers and distillation, a weight above 0, must be given together")
        if self.teachers and (self.trainable_from or self.objective != "cross_entropy"):
            raise ValueError(
                "teachers need stored features and cross entropy: leave out either trainable_from "
                "and objective, or the teachers"
            )
        return self


@dataclass(frozen=True, config=KNOWN_KEYS_ONLY)
class TrainConfig:
    """A training of a captioner: data, network, stages.

    Args:
        dataset: Path of a data set, see `captioner.datasets.readers.read_dataset`.
        datasets: Several data sets to learn from together, instead of `dataset`; see `DataConfig`.
        features: Folder of the feature store, as `captioner prepare` makes it; made if missing.
        run: Folder for checkpoints, logs and the best preset.
        stages: Stages in order; each starts with the best weights of the previous one.
        views: Number of random crops and mirror images of each training image whose features are
            stored too, in folders beside `features` (made if missing). Stages on stored features
            read the whole image or one of its views, at random.
        start: Preset with the initial weights of the first stage; None for a fresh decoder.
        images: Folder of the images, if the data set does not name it.
        encoder: Options of `VGG16Encoder` (weights, grid), or `preset`: a preset whose encoder is
            used.
        decoder: `name` and the options of the decoder.
        vocabulary: Preset whose vocabulary is used, for a training that starts with that preset on
            other data; None for the words of the train split.
        tokenizer: "words", whole English words, or "wordpiece", pieces of words, for any language;
            see docs/how-to/any-language.md.
        pieces: Approximate number of pieces that wordpiece learns.
        keep_case: If True, wordpiece keeps capitals, as German needs.
        min_count: Number of times that a word of the train split must occur; rarer words become
            <unk>. With wordpiece it applies to the characters of a word. 0 chooses by the number of
            captions: 1 for fewer than 100, 2 for fewer than 2,000, 3 for fewer than 10,000, else 5.
        max_length: Number of words of a caption that are read in training, and written, at most.
        captions_per_image: Number of captions of an image that a step learns from.
        validation: Options of the beam search in validation.
        precision: "auto", "bfloat16" or "float32".
        seed: Seed of weights, order, dropout and augmentation.
        strict: If True, refuse a table with faulty rows; otherwise leave them out and report them.
        task: "caption".

    Example:
        >>> stage = {"name": "frozen", "epochs": 1, "learning_rate": 2e-3}
        >>> paths = {"dataset": "flickr8k", "features": "features", "run": "runs"}
        >>> parse_config({**paths, "stages": [stage]}, "config.yaml").stages[0].batch_size
        32
    """

    features: str
    run: str
    stages: Annotated[tuple[StageConfig, ...], Field(min_length=1)]
    dataset: str = ""
    datasets: tuple[DataConfig, ...] = ()
    views: Whole = 0
    start: str | None = None
    images: str | None = None
    encoder: dict[str, Any] = field(default_factory=dict)
    decoder: dict[str, Any] = field(default_factory=lambda: {"name": "top_down"})
    vocabulary: str | None = None
    tokenizer: Literal["words", "wordpiece"] = "words"
    pieces: Count = 4000
    keep_case: Flag = False
    min_count: Whole = 0
    max_length: Count = 18
    captions_per_image: Count = 5
    validation: dict[str, Any] = field(
        default_factory=lambda: {"beam_width": 3, "length_power": 0.7}
    )
    precision: Precision = "auto"
    seed: Integer = 1
    strict: Flag = False
    task: Literal["caption"] = "caption"

    @check(mode="after")
    def _check_parts(self) -> Self:
        _need_name(self.decoder, "decoder", "top_down")
        if len({stage.name for stage in self.stages}) < len(self.stages):
            raise ValueError("two stages have the same name; each needs its own folder")
        if bool(self.dataset) == bool(self.datasets):
            raise ValueError("give either `dataset`, or a list of several as `datasets`")
        names = [part.name for part in self.datasets]
        if len(set(names)) < len(names) or not all(names) or any("/" in name for name in names):
            raise ValueError("each of `datasets` needs a `name` of its own, without a slash")
        distilled = any(part.distilled for part in self.datasets)
        for stage in self.stages:
            if distilled and not stage.teachers:
                raise ValueError(
                    f"stage {stage.name}: a distilled data set needs `teachers`: name them"
                )
            most = 1 if stage.trainable_from else 1 + self.views
            if stage.frames > most:
                raise ValueError(
                    f"stage {stage.name}: frames is {stage.frames}, but must be from 1 to {most}: "
                    "the image and, on stored features, each of its `views`"
                )
        return self

    @property
    def data(self) -> tuple[DataConfig, ...]:
        """One or more data sets."""
        return self.datasets or (DataConfig(self.dataset, images=self.images),)


@dataclass(frozen=True, config=KNOWN_KEYS_ONLY)
class ActivityConfig:
    """A training of an activity recognizer: clips, network, schedule of its one stage.

    Args:
        dataset: Folder of clips with labels, see `captioner.datasets.readers.read_dataset`.
        features: Folder of the feature store; made if missing.
        run: Folder for checkpoint, log and the best preset.
        epochs: Number of passes over the train split, at most.
        learning_rate: Peak of the cosine schedule.
        task: "activity".
        start: Preset with the initial weights of the head; None for a fresh head.
        encoder: `weights` of VGG16, "imagenet" or a file; or `preset`, the name or folder of a
            captioner whose VGG16 is used.
        trainable_from: First block that is trained, "block2" to "block5"; None for a frozen VGG16.
            The store holds the output of the blocks below it.
        encoder_learning_rate: Peak of the cosine schedule for the trained blocks.
        side: Height and width of the frames in pixels.
        frames: Number of frames of a clip, at most.
        crop: Argument `share` of `crop_to_motion`; None keeps whole frames.
        trim: If True, take frames only from the part of a clip with motion.
        head: `name` ("averaging", "lstm" or "conv_lstm") and the options of the head.
        batch_size: Number of clips in a step.
        warmup_steps: Number of steps of linear warm-up.
        weight_decay: Weight decay of AdamW.
        label_smoothing: Share of the target spread over the labels.
        mixup: Parameter of the Beta distribution of the mixing weight of two clips; 0 for none.
        drop_frames: Largest share of a clip's frames that is left out at random.
        shift: Largest random shift of the grid, in locations.
        flip: If True, mirror the grid half of the time.
        patience: Number of epochs without a better validation likelihood before training stops.
        precision: "auto", "bfloat16" or "float32".
        split_seed: Seed of the split, if the data set has none.
        seed: Seed of weights, order, dropout and augmentation.

    Source: mixup: Zhang et al. 2018, https://arxiv.org/abs/1710.09412.
    """

    dataset: str
    features: str
    run: str
    epochs: Count
    learning_rate: NotNegative
    task: Literal["activity"] = "activity"
    start: str | None = None
    encoder: dict[str, Any] = field(default_factory=dict)
    trainable_from: Literal["block2", "block3", "block4", "block5"] | None = None
    encoder_learning_rate: NotNegative = 0.0
    side: Count = 224
    frames: Count = 16
    crop: Annotated[Positive, Field(le=1)] | None = None
    trim: Flag = False
    head: dict[str, Any] = field(default_factory=lambda: {"name": "lstm"})
    batch_size: Count = 16
    warmup_steps: Whole = 50
    weight_decay: NotNegative = 0.0
    label_smoothing: PartialShare = 0.0
    mixup: NotNegative = 0.0
    drop_frames: PartialShare = 0.0
    shift: Whole = 0
    flip: Flag = False
    patience: Whole = 20
    precision: Precision = "auto"
    split_seed: Integer = 1
    seed: Integer = 1

    @check(mode="after")
    def _check_parts(self) -> Self:
        _need_name(self.head, "head", "lstm")
        keys = self.encoder.keys()
        if not keys <= {"weights", "filters", "preset"} or ("preset" in keys and len(keys) > 1):
            raise ValueError("`encoder` has either `weights` or `preset`, nothing else")
        return self

    @property
    def reading(self) -> dict[str, Any]:
        """Options of `read_action` besides the size."""
        return {"frames": self.frames, "crop": self.crop, "trim": self.trim}

    @property
    def stages(self) -> tuple[StageConfig, ...]:
        """The only stage; its folder is the run's."""
        own = {item.name for item in fields(self)}
        shared = [item.name for item in fields(StageConfig) if item.name in own]
        given = {name: getattr(self, name) for name in shared if name not in ("crop", "flip")}
        return (StageConfig(name="", **given),)


def read_config(
    path: str | Path, overrides: dict[str, Any] | None = None, settings: Sequence[str] = ()
) -> TrainConfig | ActivityConfig:
    """Read a recipe; its `task` ("caption" by default) selects the kind of training.

    Args:
        path: YAML file, or the name of a bundled recipe, see `recipe.recipe_path`; relative
            paths in it are relative to the working directory.
        overrides: Top-level values that replace those of the file.
        settings: Changes such as "stages.0.ema=0", see `recipe.read_recipe`.

    Raises:
        CaptionerError: If the file is missing, is not YAML, or has a wrong key or value.
    """
    return parse_config({**read_recipe(path, settings), **(overrides or {})}, str(path))


def parse_config(content: dict[str, Any], source: str) -> TrainConfig | ActivityConfig:
    """Build a config from the content of a YAML file; `source` names the file in errors.

    Raises:
        CaptionerError: If a key is unknown or missing, or its value is wrong; the message has its
            path, as `--set` takes it.

    Example:
        >>> parse_config({"dataset": "d", "run": "r", "featurs": "f"}, "my.yaml")
        Traceback (most recent call last):
        captioner.errors.CaptionerError: my.yaml: unknown key featurs: did you mean features?
    """
    task = content.get("task", CAPTION)
    if task not in (CAPTION, ACTIVITY):
        raise CaptionerError(f"{source}: task {task!r}: choose {CAPTION} or {ACTIVITY}")
    kind: Any = ActivityConfig if task == ACTIVITY else TrainConfig
    try:
        config: TrainConfig | ActivityConfig = TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        raise CaptionerError(f"{source}: {_reason(error, kind)}") from error
    return config


def _need_name(options: dict[str, Any], key: str, example: str) -> None:
    if "name" not in options:
        raise ValueError(f"`{key}` needs a `name`, such as {example}")


def _reason(error: ValidationError, kind: type) -> str:
    """Describe one problem of a config: an unknown key, which may explain a missing one, first."""
    problems = error.errors(include_url=False)
    first = next((p for p in problems if p["type"] == "unexpected_keyword_argument"), problems[0])
    key = ".".join(map(str, first["loc"]))
    if first["type"] == "unexpected_keyword_argument":
        part = {"stages": StageConfig, "datasets": DataConfig}.get(str(first["loc"][0]), kind)
        known = [item.name for item in fields(part)]
        close = get_close_matches(str(first["loc"][-1]), known, n=1)
        return f"unknown key {key}: " + (
            f"did you mean {close[0]}?" if close else f"the keys are {', '.join(known)}"
        )
    if first["type"] == "missing":
        return f"missing key {key}"
    if first["loc"] and isinstance(first["input"], str) and first["type"] == "value_error":
        return f"{key} should be a number, not {first['input']!r}"
    if first["type"] == "value_error":
        return f"{key}{': ' if key else ''}{first['ctx']['error']}"
    expected = _NOT_OF_TYPE.get(first["type"], first["msg"]).replace("Input should", "should", 1)
    return f"{key} {expected}, not {first['input']!r}"
