"""`captioner check`: report on a data set before training."""

from pathlib import Path

import click

from captioner.cli.dataset_options import images_option
from captioner.cli.endings import plain_errors

_LISTED = 10


@click.command()
@click.argument("dataset", type=click.Path(exists=True, path_type=Path))
@images_option
@click.option("--all", "list_all", is_flag=True, help=f"List everything, not {_LISTED} per kind.")
def check(dataset: Path, images: Path | None, list_all: bool) -> None:
    """Report the contents of DATASET and problems that would hurt training.

    Reads all images once, and the first frame of each clip. Reports splits, words, unusable rows,
    missing or broken images, near-duplicate images in several splits, captions that are file
    names, and captions that many images share.

    The exit code is 1 if something should be fixed.
    """
    with plain_errors():
        from tqdm import tqdm

        from captioner.datasets.readers import read_dataset
        from captioner.datasets.survey import survey_dataset

        data = read_dataset(dataset, images)
        with tqdm(total=len(data.examples), unit="image", disable=None) as progress:
            survey = survey_dataset(data, progress.update)
    click.echo(f"{data.name}: {len(data.examples)} images, {survey.captions.total()} captions")
    for split in ("train", "val", "test"):
        if survey.images[split]:
            count, captions = survey.images[split], survey.captions[split]
            click.echo(f"  {split}: {count} images, {captions / count:.1f} captions each")
    for count in (1, 2, 5):
        known = sum(times >= count for times in survey.words.values())
        click.echo(f"  words of train that occur {count} times or more: {known}")
    problems = [
        ("unusable rows, left out", list(data.faults)),
        (
            "missing or unreadable images, left out",
            list(survey.unreadable.values()),
        ),
        (
            "groups of near-duplicate images in several splits, which inflate the scores: put each "
            "group into one split",
            [", ".join(group) for group in survey.crossing],
        ),
        ("captions that are the file's name", survey.file_names),
        ("missing splits, needed for training", _missing_splits(survey.images)),
    ]
    hints = [
        (
            "groups of near-duplicate images in one split",
            [", ".join(group) for group in survey.duplicates if group not in survey.crossing],
        ),
        (
            "captions shared by several images",
            [f"{count} x {caption}" for caption, count in survey.repeated],
        ),
    ]
    for told, found in [*problems, *hints]:
        _tell(told, found, list_all)
    if any(found for _, found in problems):
        raise click.exceptions.Exit(1)
    click.echo("nothing to fix")


def _missing_splits(images: "dict[str, int]") -> list[str]:
    return [f'no images in the split "{split}"' for split in ("train", "val") if not images[split]]


def _tell(told: str, found: list[str], list_all: bool) -> None:
    if not found:
        return
    click.echo(f"{len(found)} {told}:")
    shown = found if list_all else found[:_LISTED]
    for line in shown:
        click.echo(f"  {line}")
    if len(found) > len(shown):
        click.echo(f"  and {len(found) - len(shown)} more (--all lists them)")
