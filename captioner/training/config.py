"""The config file of a training: small, strict, readable."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from captioner.datasets.mixture import DataConfig
from captioner.errors import CaptionerError
from captioner.results import ACTIVITY, CAPTION
from captioner.text.subwords import WORDPIECE
from captioner.training.recipe import read_recipe

_TOKENIZERS = ("words", WORDPIECE)
_OBJECTIVES = ("cross_entropy", "self_critical", "presence")


@dataclass(frozen=True)
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
    epochs: int
    learning_rate: float
    trainable_from: str | None = None
    encoder_learning_rate: float = 0.0
    flip: bool = False
    crop: float = 1.0
    batch_size: int = 32
    warmup_steps: int = 200
    label_smoothing: float = 0.1
    clip_norm: float = 1.0
    objective: str = "cross_entropy"
    sharpen: float = 1.0
    samples: int = 5
    bleu_weight: float = 0.0
    ema: float = 0.0
    teachers: tuple[str, ...] = ()
    distillation: float = 0.0
    frames: int = 1
    patience: int = 3
    weight_decay: float = 0.0


@dataclass(frozen=True)
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
    stages: tuple[StageConfig, ...]
    dataset: str = ""
    datasets: tuple[DataConfig, ...] = ()
    views: int = 0
    start: str | None = None
    images: str | None = None
    encoder: dict[str, Any] = field(default_factory=dict)
    decoder: dict[str, Any] = field(default_factory=lambda: {"name": "top_down"})
    vocabulary: str | None = None
    tokenizer: str = "words"
    pieces: int = 4000
    keep_case: bool = False
    min_count: int = 0
    max_length: int = 18
    captions_per_image: int = 5
    validation: dict[str, Any] = field(
        default_factory=lambda: {"beam_width": 3, "length_power": 0.7}
    )
    precision: str = "auto"
    seed: int = 1
    strict: bool = False
    task: str = CAPTION

    @property
    def data(self) -> tuple[DataConfig, ...]:
        """One or more data sets."""
        return self.datasets or (DataConfig(self.dataset, images=self.images),)


@dataclass(frozen=True)
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
    epochs: int
    learning_rate: float
    task: str = ACTIVITY
    start: str | None = None
    encoder: dict[str, Any] = field(default_factory=dict)
    trainable_from: str | None = None
    encoder_learning_rate: float = 0.0
    side: int = 224
    frames: int = 16
    crop: float | None = None
    trim: bool = False
    head: dict[str, Any] = field(default_factory=lambda: {"name": "lstm"})
    batch_size: int = 16
    warmup_steps: int = 50
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    mixup: float = 0.0
    drop_frames: float = 0.0
    shift: int = 0
    flip: bool = False
    patience: int = 20
    precision: str = "auto"
    split_seed: int = 1
    seed: int = 1

    @property
    def reading(self) -> dict[str, Any]:
        """Options of `read_action` besides the size."""
        return {"frames": self.frames, "crop": self.crop, "trim": self.trim}

    @property
    def stages(self) -> tuple[StageConfig, ...]:
        """The only stage; its folder is the run's."""
        own = {item.name for item in fields(self)}
        shared = [item.name for item in fields(StageConfig) if item.name in own]
        given = {name: getattr(self, name) for name in shared if name != "flip"}
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
    """Build a config from the content of a YAML file; `source` names the file in errors."""
    task = content.get("task", CAPTION)
    if task not in (CAPTION, ACTIVITY):
        raise CaptionerError(f"{source}: task {task!r}: choose {CAPTION} or {ACTIVITY}")
    return (_parse_activity if task == ACTIVITY else _parse_caption)(content, source)


def _parse_activity(content: dict[str, Any], source: str) -> ActivityConfig:
    config: ActivityConfig = build_section(ActivityConfig, content, source)
    if "name" not in config.head:
        raise CaptionerError(f"{source}: `head` needs a `name`, such as lstm")
    keys = config.encoder.keys()
    if not keys <= {"weights", "filters", "preset"} or ("preset" in keys and len(keys) > 1):
        raise CaptionerError(f"{source}: `encoder` has either `weights` or `preset`, nothing else")
    if config.frames < 1 or not 0 <= config.drop_frames < 1:
        raise CaptionerError(
            f"{source}: `frames` must be 1 or more, and `drop_frames` 0 or more and less than 1"
        )
    if config.crop is not None and not 0 < config.crop <= 1:
        raise CaptionerError(f"{source}: `crop` must be a share above 0 and at most 1")
    return config


def _parse_caption(content: dict[str, Any], source: str) -> TrainConfig:
    stages = content.get("stages")
    if not isinstance(stages, list) or not stages:
        raise CaptionerError(f"{source}: `stages` must list at least one stage")
    parsed = tuple(
        build_section(StageConfig, stage, f"{source}, stage {n}")
        for n, stage in enumerate(stages, 1)
    )
    for stage in parsed:
        _check_objective(stage, source)
        _check_teachers(stage, source)
    if len({stage.name for stage in parsed}) < len(parsed):
        raise CaptionerError(f"{source}: two stages have the same name; each needs its own folder")
    content = {**content, "stages": parsed}
    if content.get("datasets"):
        content["datasets"] = _parse_datasets(content["datasets"], source)
    config: TrainConfig = build_section(TrainConfig, content, source)
    if bool(config.dataset) == bool(config.datasets):
        raise CaptionerError(f"{source}: give either `dataset`, or a list of several as `datasets`")
    if config.tokenizer not in _TOKENIZERS:
        raise CaptionerError(
            f"{source}: tokenizer {config.tokenizer!r}: choose one of {', '.join(_TOKENIZERS)}"
        )
    if config.pieces < 1:
        raise CaptionerError(f"{source}: `pieces` must be 1 or more, not {config.pieces}")
    if "name" not in config.decoder:
        raise CaptionerError(f"{source}: `decoder` needs a `name`, such as top_down")
    lone = [stage.name for stage in parsed if not stage.teachers]
    if lone and any(data.distilled for data in config.datasets):
        raise CaptionerError(
            f"{source}, stage {lone[0]}: a distilled data set needs `teachers`: name them"
        )
    for stage in parsed:
        looks = 1 if stage.trainable_from else 1 + config.views
        if not 1 <= stage.frames <= looks:
            raise CaptionerError(
                f"{source}, stage {stage.name}: frames is {stage.frames}, but must be from 1 to "
                f"{looks}: the image and, on stored features, each of its `views`"
            )
    return config


def _parse_datasets(content: Any, source: str) -> tuple[DataConfig, ...]:
    if not isinstance(content, list):
        raise CaptionerError(f"{source}: `datasets` must be a list")
    parsed = tuple(
        build_section(DataConfig, values, f"{source}, data set {number}")
        for number, values in enumerate(content, 1)
    )
    names = [config.name for config in parsed]
    if len(set(names)) < len(names) or not all(names) or any("/" in name for name in names):
        raise CaptionerError(
            f"{source}: each of `datasets` needs a `name` of its own, without a slash"
        )
    for config in parsed:
        if (
            config.weight <= 0
            or config.validation < 0
            or (config.frames is not None and config.frames < 1)
        ):
            raise CaptionerError(
                f"{source}, data set {config.name}: weight and frames must be above 0, and "
                "validation 0 or more"
            )
    return parsed


def _check_objective(stage: StageConfig, source: str) -> None:
    if stage.objective not in _OBJECTIVES:
        raise CaptionerError(
            f"{source}, stage {stage.name}: objective {stage.objective!r}: choose one of "
            f"{', '.join(_OBJECTIVES)}"
        )
    if stage.objective != "self_critical":
        return
    if stage.trainable_from or stage.label_smoothing:
        raise CaptionerError(
            f"{source}, stage {stage.name}: self_critical works on stored features and without "
            "label smoothing: leave out trainable_from, and set label_smoothing: 0"
        )
    if stage.samples < 2:
        raise CaptionerError(
            f"{source}, stage {stage.name}: samples is {stage.samples}: a caption is compared with "
            "the others of its image, so give two or more"
        )


def _check_teachers(stage: StageConfig, source: str) -> None:
    names = stage.teachers
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise CaptionerError(
            f"{source}, stage {stage.name}: teachers must be a list of presets, got {names!r}"
        )
    if not 0 <= stage.distillation <= 1 or bool(names) != (stage.distillation > 0):
        raise CaptionerError(
            f"{source}, stage {stage.name}: teachers and distillation, a weight above 0 and at "
            "most 1, must be given together"
        )
    if names and (stage.trainable_from or stage.objective != "cross_entropy"):
        raise CaptionerError(
            f"{source}, stage {stage.name}: teachers need stored features and cross entropy: "
            "leave out either trainable_from and objective, or the teachers"
        )


def build_section(kind: type, values: Any, source: str) -> Any:
    """Make a dataclass of a mapping; check the names, and the types of simple fields."""
    if not isinstance(values, dict):
        raise CaptionerError(f"{source}: expected `key: value` lines, got {values!r}")
    known = {item.name: item for item in fields(kind)}
    for key in values:
        if key not in known:
            raise CaptionerError(f"{source}: unknown key {key!r}; the keys are {', '.join(known)}")
    converted = {}
    for key, value in values.items():
        wanted = known[key].type
        if wanted is float and isinstance(value, (int, str)) and not isinstance(value, bool):
            try:
                value = float(value)  # YAML reads 1e-3 as a string
            except ValueError:
                raise CaptionerError(f"{source}: {key} must be a number, got {value!r}") from None
        if wanted in (int, float, str, bool) and type(value) is not wanted:
            raise CaptionerError(
                f"{source}: {key} must be of type {wanted.__name__}, got {value!r}"
            )
        converted[key] = value
    try:
        return kind(**converted)
    except TypeError as error:
        missing = str(error).partition(": ")[2]
        raise CaptionerError(f"{source}: missing {missing}") from error
