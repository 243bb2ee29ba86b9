"""The model card of a trained preset."""

from captioner.datasets.dataset import Dataset
from captioner.training.config import ActivityConfig, TrainConfig


def write_card(
    config: TrainConfig | ActivityConfig, dataset: Dataset, scores: dict[str, float]
) -> str:
    """Describe a preset right after training: what it is, of what, and its validation scores.

    Args:
        config: The training's.
        dataset: The data it was trained on.
        scores: Validation scores, fractions by metric.

    Returns:
        Markdown.
    """
    sizes = ", ".join(
        f"{split} {sum(example.split == split for example in dataset.examples)}"
        for split in ("train", "val", "test")
    )
    rows = "\n".join(f"| {name} | {100 * value:.1f} |" for name, value in scores.items())
    if isinstance(config, ActivityConfig):
        trained = f"trained from {config.trainable_from} up" if config.trainable_from else "frozen"
        about = f"""Gives a clip one of {len(dataset.labels)} labels: {", ".join(dataset.labels)}.

VGG16 (Simonyan and Zisserman 2014; ImageNet weights CC BY 4.0), {trained}, and a
`{config.head["name"]}` head over up to {config.frames} frames, as in LRCN (Donahue et al. 2015);
trained with `captioner` on {dataset.name} ({sizes} clips, split seed {config.split_seed})."""
        heading = "validation split"
        limits = "It gives one of these labels to whatever it is shown, also where none fits."
    else:
        what = "clips" if dataset.has_clips else "images"
        about = f"""VGG16 encoder (Simonyan and Zisserman 2014; ImageNet weights CC BY 4.0) and a
`{config.decoder["name"]}` LSTM decoder, trained with `captioner` on {dataset.name}
({sizes} {what})."""
        heading = f"validation split, beam width {config.validation.get('beam_width', 3)}"
        limits = (
            "It writes sentences like those it was trained on, also where they do not fit the "
            "image."
        )
    return f"""# Model card

{about}

| {heading} | score x 100 |
|---|---|
{rows}

{limits}
"""
