"""The config file of a training that recognizes activities: small, strict, readable."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from captioner.errors import CaptionerError
from captioner.training.config import build_section
from captioner.training.recipe import read_recipe

TASK = "activity"


@dataclass(frozen=True)
class ActivityConfig:
    """A training: clips, network, schedule.

    Args:
        dataset: What `captioner.datasets.clip_readers.read_clip_dataset` reads.
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
    task: str = TASK
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


def read_activity_config(
    path: str | Path, overrides: dict[str, Any] | None = None, settings: Sequence[str] = ()
) -> ActivityConfig:
    """Read a recipe.

    Args:
        path: A YAML file, or the name of a bundled recipe, see `recipe.recipe_path`; relative
            paths in it are relative to the working directory.
        overrides: Values that replace those of the file.
        settings: Changes such as "head.units=64", see `recipe.read_recipe`.

    Raises:
        CaptionerError: If the file is missing, is not YAML, or has a key or value that is wrong.
    """
    content = {**read_recipe(path, settings), **(overrides or {})}
    config: ActivityConfig = build_section(ActivityConfig, content, str(path))
    if "name" not in config.head:
        raise CaptionerError(f"{path}: `head` needs a `name`, such as lstm")
    if not config.encoder.keys() <= {"weights", "preset"} or len(config.encoder) > 1:
        raise CaptionerError(f"{path}: `encoder` has either `weights` or `preset`, nothing else")
    if config.frames < 1 or not 0 <= config.drop_frames < 1:
        raise CaptionerError(f"{path}: `frames` is 1 at least, and `drop_frames` less than 1")
    if config.crop is not None and not 0 < config.crop <= 1:
        raise CaptionerError(f"{path}: `crop` is a share, more than 0 and no more than 1")
    return config
