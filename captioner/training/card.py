"""The model card of a trained preset."""

from captioner.datasets.caption_dataset import CaptionDataset
from captioner.training.config import TrainConfig


def write_card(config: TrainConfig, dataset: CaptionDataset, scores: dict[str, float]) -> str:
    """Describes a preset right after training: what it is, of what, and its validation scores.

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
    return f"""# Model card

VGG16 encoder (Simonyan and Zisserman 2014; ImageNet weights CC BY 4.0) and a
`{config.decoder["name"]}` LSTM decoder, trained with `captioner` on {dataset.name}
({sizes} {"clips" if dataset.has_clips else "pictures"}).

| validation split, beam width {config.validation.get("beam_width", 3)} | score x 100 |
|---|---|
{rows}

It writes sentences like those it was trained on, also where they do not fit the picture.
"""
