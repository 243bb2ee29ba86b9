"""`captioner check`: what a data set is like, before it is trained on."""

from pathlib import Path

import click

from captioner.cli.endings import plain_errors

_LISTED = 10


@click.command()
@click.argument("dataset", type=click.Path(exists=True, path_type=Path))
@click.option("--images", type=click.Path(path_type=Path), help="Folder of the images or clips.")
@click.option("--all", "list_all", is_flag=True, help=f"List everything, not {_LISTED} of a kind.")
def check(dataset: Path, images: Path | None, list_all: bool) -> None:
    """Report what is in DATASET and what in it will hurt a training.

    Reads all images once, of clips the first frame. Tells splits, words, rows that cannot be used,
    images that are missing or broken, nearly the same images in several splits, captions that are
    file names or that many images have.

    The exit code is 1 if something should be mended.
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
        ("rows that cannot be used, and are left out", list(data.faults)),
        (
            "images that are missing or cannot be read, and are left out",
            list(survey.unreadable.values()),
        ),
        (
            "nearly the same images in several splits, so that scores are too good: put each "
            "group into one split",
            [", ".join(group) for group in survey.crossing],
        ),
        ("captions that are the name of the file", survey.file_names),
        ("without them no epoch can be chosen", _missing_splits(survey.images)),
    ]
    hints = [
        (
            "nearly the same images in one split",
            [", ".join(group) for group in survey.duplicates if group not in survey.crossing],
        ),
        (
            "captions that several images have",
            [f"{count} x {caption}" for caption, count in survey.repeated],
        ),
    ]
    for told, found in [*problems, *hints]:
        _tell(told, found, list_all)
    if any(found for _, found in problems):
        raise click.exceptions.Exit(1)
    click.echo("nothing to mend")


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
