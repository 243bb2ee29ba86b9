"""The model card of a trained recognizer of activities."""

from captioner.datasets.clip_dataset import ClipDataset
from captioner.training.activity_config import ActivityConfig


def write_activity_card(
    config: ActivityConfig, dataset: ClipDataset, scores: dict[str, float]
) -> str:
    """Describes a preset right after training: what it is, of what, and its validation score.

    Args:
        config: The training's.
        dataset: The clips it was trained on.
        scores: Validation scores, with `accuracy`, a fraction.

    Returns:
        Markdown.
    """
    sizes = ", ".join(
        f"{split} {sum(example.split == split for example in dataset.examples)}"
        for split in ("train", "val", "test")
    )
    trained = f"trained from {config.trainable_from} up" if config.trainable_from else "frozen"
    return f"""# Model card

Tells which of {len(dataset.labels)} activities a clip shows: {", ".join(dataset.labels)}.

VGG16 (Simonyan and Zisserman 2014), {trained}, and a `{config.head["name"]}` head over up to
{config.frames} frames, as in LRCN (Donahue et al. 2015); trained with `captioner` on {dataset.name}
({sizes} clips, split seed {config.split_seed}).

Accuracy on the validation split: {100 * scores["accuracy"]:.1f} %.

It gives one of these labels to whatever it is shown, also where none fits.
"""
