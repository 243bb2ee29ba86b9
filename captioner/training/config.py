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
        name: Folder of the stage under the run's.
        epochs: Passes over the train split, at most.
        learning_rate: Peak of the cosine schedule, for the decoder.
        trainable_from: First block of VGG16 that is trained ("block1" to "block5"); None trains
            the decoder alone, on the features of the store.
        encoder_learning_rate: Peak for the encoder.
        flip: Mirror pictures at random, unless a caption says left or right.
        crop: Smallest share of a picture's area that a random crop keeps; 1 does not crop.
        batch_size: Pictures in a step.
        warmup_steps: Steps of linear warm-up.
        label_smoothing: Share of the target spread over the vocabulary.
        clip_norm: Largest norm of the gradient of all weights together.
        objective: "cross_entropy" of human captions, or "self_critical": the reward of captions
            that the model samples; on stored features, without dropout and label smoothing. Or
            "presence": binary cross entropy of which words the captions of an image have, for
            VGG16 and a decoder with `presence`.
        sharpen: Factor of the word logits as the stage begins. Label smoothing leaves a tenth of
            the probability to words that do not fit; 2 has self-critical training begin with
            samples that are sentences (on Flickr8k their mean reward is 0.87, and 0.24 with 1).
        samples: Captions of a picture that self-critical training samples, two or more.
        bleu_weight: How much of BLEU-4 is added to CIDEr-D in the reward.
        ema: Momentum of the exponential moving average of the weights, by which epochs are
            compared and which is what is saved; 0 for none.
        teachers: Presets whose mean probability of each word is learnt from beside the captions:
            an ensemble is distilled into one model. Their encoder must be this training's.
        distillation: Weight of the teachers; the captions' is the rest.
        frames: Looks at a picture (itself and the `views` of the training) that are read together,
            as the frames of a clip: a random number of them up to this one. It teaches a decoder
            of pictures what clips and `--mirror` need: to attend over frames.
        patience: Epochs without a better validation score before the stage ends.
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
    """A training that writes captions: data, network, stages.

    Args:
        dataset: What `captioner.datasets.readers.read_dataset` reads.
        datasets: In place of `dataset`, several that are learnt from together; see `DataConfig`.
        features: Folder of the feature store, as `captioner prepare` makes it; made where it is
            not there.
        run: Folder for checkpoints, logs and the best preset.
        stages: In order; each begins with the best weights of the one before.
        views: Random crops and mirror images of each training picture, whose features are stored
            too, in folders beside `features`, which the training makes where they are not there;
            stages on stored features read a picture as a whole or one of its views, at random.
        start: Preset whose weights the first stage begins with; None for a fresh decoder.
        images: Folder of the pictures, where the data set does not say.
        encoder: Options of `VGG16Encoder`: weights, grid. Or `preset`: that whose encoder is taken.
        decoder: `name` and the options of the decoder.
        vocabulary: Preset whose words are taken, as for a training that begins with it on other
            data; None for the words of the train split.
        tokenizer: "words", whole English words, or "wordpiece", pieces of words, for any language;
            see docs/how-to/any-language.md.
        pieces: Number of pieces that wordpiece learns, about.
        keep_case: Whether wordpiece leaves capitals as they are, as German needs it.
        min_count: Rarer words of the train split become <unk>; with wordpiece, words with rarer
            characters. 0 chooses by the number of captions: 1 for fewer than 100, 2 for fewer than
            2,000, 3 for fewer than 10,000, else 5.
        max_length: Words of a caption that are read in training, and written at most.
        captions_per_image: Captions of a picture that a step learns from.
        validation: Options of the beam search by which epochs are compared.
        precision: "auto", "bfloat16" or "float32".
        seed: Of weights, order, dropout and augmentation.
        strict: Whether a table with faulty rows is refused; if not, these are left out, and told.
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
        """The data sets, one or more."""
        return self.datasets or (DataConfig(self.dataset, images=self.images),)


@dataclass(frozen=True)
class ActivityConfig:
    """A training that labels clips: clips, network, schedule of its one stage.

    Args:
        dataset: Folder of clips with labels, see `captioner.datasets.readers.read_dataset`.
        features: Folder of the feature store, which the training makes where it is not there.
        run: Folder for checkpoint, log and the best preset.
        epochs: Passes over the train split, at most.
        learning_rate: Peak of the cosine schedule.
        task: "activity".
        start: Preset with whose head the training begins; None for a fresh one.
        encoder: `weights` of VGG16, "imagenet" or a file; or `preset`, a captioner's name or
            folder, whose VGG16 is taken.
        trainable_from: None for a frozen VGG16, or the first block that is trained, "block2" to
            "block5"; the store holds what the blocks below give.
        encoder_learning_rate: Peak for the blocks that are trained.
        side: Height and width of the frames in pixels.
        frames: Of each clip, at most.
        crop: The `share` of `crop_to_motion`; None keeps whole frames.
        trim: Whether frames are of the part of a clip where something moves alone.
        head: `name` ("averaging", "lstm" or "conv_lstm") and the options of the head.
        batch_size: Clips in a step.
        warmup_steps: Steps of linear warm-up.
        weight_decay: Of AdamW.
        label_smoothing: Share of the target spread over the labels.
        mixup: Parameter of the Beta distribution by which two clips are mixed; 0 mixes none.
        drop_frames: Largest share of a clip's frames that is left out at random.
        shift: Places by which the grid is shifted at random, at most.
        flip: Mirror the grid half of the time.
        patience: Epochs without a better validation likelihood before training stops.
        precision: "auto", "bfloat16" or "float32".
        split_seed: Of the split, where the data set has none.
        seed: Of weights, order, dropout and augmentation.

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
        """The options of `read_action` besides the size."""
        return {"frames": self.frames, "crop": self.crop, "trim": self.trim}

    @property
    def stages(self) -> tuple[StageConfig, ...]:
        """The one stage, whose folder is the run's."""
        own = {item.name for item in fields(self)}
        shared = [item.name for item in fields(StageConfig) if item.name in own]
        given = {name: getattr(self, name) for name in shared if name != "flip"}
        return (StageConfig(name="", **given),)


def read_config(
    path: str | Path, overrides: dict[str, Any] | None = None, settings: Sequence[str] = ()
) -> TrainConfig | ActivityConfig:
    """Read a recipe; its `task`, "caption" if it names none, decides what it trains.

    Args:
        path: A YAML file, or the name of a bundled recipe, see `recipe.recipe_path`; relative
            paths in it are relative to the working directory.
        overrides: Top-level values that replace those of the file.
        settings: Changes such as "stages.0.ema=0", see `recipe.read_recipe`.

    Raises:
        CaptionerError: If the file is missing, is not YAML, or has a key or value that is wrong.
    """
    return parse_config({**read_recipe(path, settings), **(overrides or {})}, str(path))


def parse_config(content: dict[str, Any], source: str) -> TrainConfig | ActivityConfig:
    """Build a config from what YAML gave; `source` names the file in errors."""
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
        raise CaptionerError(f"{source}: `frames` is 1 at least, and `drop_frames` less than 1")
    if config.crop is not None and not 0 < config.crop <= 1:
        raise CaptionerError(f"{source}: `crop` is a share, more than 0 and no more than 1")
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
        raise CaptionerError(f"{source}: give `dataset`, or a list of several as `datasets`")
    if config.tokenizer not in _TOKENIZERS:
        raise CaptionerError(
            f"{source}: tokenizer {config.tokenizer!r}: choose one of {', '.join(_TOKENIZERS)}"
        )
    if config.pieces < 1:
        raise CaptionerError(f"{source}: `pieces` must be 1 or more, not {config.pieces}")
    if "name" not in config.decoder:
        raise CaptionerError(f"{source}: `decoder` needs a `name`, such as top_down")
    for stage in parsed:
        looks = 1 if stage.trainable_from else 1 + config.views
        if not 1 <= stage.frames <= looks:
            raise CaptionerError(
                f"{source}, stage {stage.name}: frames is {stage.frames}, and this stage has 1 to "
                f"{looks} looks at a picture: stored features have one, and one for each of `views`"
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
            "label smoothing: leave trainable_from out, and give label_smoothing: 0"
        )
    if stage.samples < 2:
        raise CaptionerError(
            f"{source}, stage {stage.name}: samples is {stage.samples}: a caption is compared with "
            "the others of its picture, so give two or more"
        )


def _check_teachers(stage: StageConfig, source: str) -> None:
    names = stage.teachers
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise CaptionerError(
            f"{source}, stage {stage.name}: teachers must be a list of presets, got {names!r}"
        )
    if not 0 <= stage.distillation <= 1 or bool(names) != (stage.distillation > 0):
        raise CaptionerError(
            f"{source}, stage {stage.name}: teachers and distillation, a weight of more than 0 and "
            "at most 1, belong together"
        )
    if names and (stage.trainable_from or stage.objective != "cross_entropy"):
        raise CaptionerError(
            f"{source}, stage {stage.name}: teachers teach on stored features, by cross entropy: "
            "leave trainable_from and objective out, or the teachers"
        )


def build_section(kind: type, values: Any, source: str) -> Any:
    """Make a dataclass of a mapping, checking names and the types of simple fields."""
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
