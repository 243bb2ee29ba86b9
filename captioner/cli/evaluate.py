"""`captioner evaluate`: score the captions of a file or a model against references."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from captioner.cli.captioning_options import adds
from captioner.cli.endings import plain_errors
from captioner.errors import CaptionerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from captioner.evaluation.meteor import Meteor
    from captioner.evaluation.references import ReferenceSet


_File = click.Path(dir_okay=False, path_type=Path)
# Options that `captioner compare` has, too.
scoring_options = adds(
    click.option("--images", type=click.Path(exists=True, path_type=Path), help="Image folder."),
    click.option(
        "--split",
        default="test",
        show_default=True,
        help='Split, if the data has splits, or "all".',
    ),
    click.option(
        "--tokenization",
        type=click.Choice(["ptb", "karpathy", "unicode", "none"]),
        default="ptb",
        show_default=True,
        help='"ptb" is the one used for published scores, for English; "unicode" is for any '
        "language.",
    ),
    click.option("--allow-missing", is_flag=True, help="Count images without a caption as empty."),
    click.option(
        "--meteor/--no-meteor",
        default=None,
        help="Default: if Java is installed and the references are English, METEOR's only "
        "language.",
    ),
    click.option("--resamples", default=1000, show_default=True, type=click.IntRange(min=1)),
    click.option("--seed", default=0, show_default=True, help="Bootstrap seed."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
)


@click.command()
@click.argument("results", required=False, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--references",
    type=click.Path(exists=True, path_type=Path),
    help="COCO captions or Karpathy JSON, {image: captions}, CSV, JSONL, text, or a library.",
)
@click.option(
    "--preset",
    "presets",
    multiple=True,
    help="Score this model instead of RESULTS: a preset's name or folder. Repeat it to score an "
    "ensemble, which averages the probabilities of each word.",
)
@click.option(
    "--dataset",
    type=click.Path(exists=True, path_type=Path),
    help="Images or clips, and references, for --preset.",
)
@scoring_options
@click.option("--beam-width", type=click.IntRange(min=1), help="For --preset.")
@click.option(
    "--mirror", is_flag=True, help="For --preset: also attend to each image's mirror image."
)
@click.option("--batch-size", default=32, show_default=True, type=click.IntRange(min=1))
@click.option("--html", type=_File, help="Also write a page with images.")
@click.option(
    "--confusion",
    type=_File,
    help="For an activity preset: draw the confusion matrix, .png or .jpg.",
)
@click.option(
    "--per-image",
    type=_File,
    help="Also write every metric of each image, .csv or .json.",
)
@click.option(
    "--smoothing",
    type=click.Choice(["add-one", "epsilon", "nist"]),
    default="add-one",
    show_default=True,
    help="For --per-image: smoothing of the BLEU of a single caption; add-one is from Lin and Och "
    "2004.",
)
@click.option("--write-results", type=_File, help="Also write the captions in the COCO format.")
def evaluate(
    results: Path | None,
    references: Path | None,
    presets: tuple[str, ...],
    dataset: Path | None,
    images: Path | None,
    split: str,
    tokenization: str,
    allow_missing: bool,
    meteor: bool | None,
    beam_width: int | None,
    mirror: bool,
    batch_size: int,
    resamples: int,
    seed: int,
    as_json: bool,
    html: Path | None,
    confusion: Path | None,
    per_image: Path | None,
    smoothing: str,
    write_results: Path | None,
) -> None:
    """Score RESULTS against references, or a model on a data set.

    RESULTS is output of `caption` (JSON, JSONL, CSV or text); the COCO results format,
    [{"image_id": ..., "caption": ...}, ...]; {image: caption}; or a table. Image names may have or
    omit the folder and suffix. To compare two models, see `captioner compare`.

    For an activity preset, the accuracy on a data set of clips is measured.
    """
    with plain_errors():
        from captioner.presets.storage import read_preset
        from captioner.results import ACTIVITY

        if dataset and any(read_preset(name, None).task == ACTIVITY for name in presets):
            if len(presets) > 1:
                raise click.UsageError("Only captioners form an ensemble: give one --preset.")
            _evaluate_labels(presets[0], dataset, split, confusion, as_json)
            return
        if confusion:
            raise click.UsageError("--confusion is for activities.")
        if per_image and per_image.suffix.lower() not in (".csv", ".json"):
            raise click.UsageError(f"--per-image {per_image}: name a .csv or .json file.")
        from captioner.datasets.readers import read_dataset
        from captioner.evaluation.caption_files import read_results
        from captioner.evaluation.caption_files import write_results as write_results_file
        from captioner.evaluation.evaluation import (
            describe_images,
            evaluate_captions,
            references_of,
        )
        from captioner.evaluation.image_scores import write_image_scores
        from captioner.evaluation.page import write_page
        from captioner.evaluation.score_table import metric_table

        check_meteor(meteor)
        if results and references and not (presets or dataset):
            name, captions = results.name, read_results(results)
            truth, paths = _from_references(references, images, split, captions)
        elif presets and dataset and not (results or references):
            options = {"beam_width": beam_width} if beam_width else {}
            data = read_dataset(dataset, images)
            for line in data.left_out():
                click.echo(line, err=True)
            truth, paths = references_of(data, split)
            name = " + ".join(presets)
            captions = describe_images(
                presets,
                paths,
                report=lambda line: click.echo(line, err=True),
                batch_size=batch_size,
                mirror=mirror,
                **options,
            )
        else:
            raise click.UsageError("Give RESULTS and --references, or --preset and --dataset.")
        if write_results:
            write_results_file(write_results, captions)
        evaluation = evaluate_captions(
            captions,
            truth.captions,
            name=name,
            training_captions=truth.training or None,
            tokenization=tokenization,
            meteor=start_meteor(meteor, truth.captions),
            allow_missing=allow_missing,
            resamples=resamples,
            seed=seed,
        )
        if per_image:
            write_image_scores(evaluation, per_image, smoothing)
        if html:
            source = dataset or references
            assert source is not None
            folder = images or (source if source.is_dir() else source.parent)
            write_page(evaluation, html, paths, folder)
        click.echo(
            json.dumps(evaluation.to_json(), indent=2) if as_json else metric_table(evaluation)
        )
        if meteor and "METEOR" not in evaluation.metrics:
            raise CaptionerError("METEOR was requested but not computed: see the notes above")


def check_meteor(wanted: bool | None) -> None:
    """Raise a CaptionerError if METEOR is requested and Java is missing, before any work."""
    from captioner.evaluation.meteor import Meteor

    if wanted and not Meteor.is_available():
        raise CaptionerError("METEOR needs Java: install a Java runtime or leave METEOR out")


def start_meteor(wanted: bool | None, references: "Mapping[str, Iterable[str]]") -> "Meteor | None":
    """Return METEOR if it is requested; or, by default, if it is possible and has a meaning."""
    from captioner.evaluation.meteor import Meteor
    from captioner.text.english import is_english

    if wanted is None:
        texts = (text for own in references.values() for text in own)
        wanted = Meteor.is_available() and is_english(texts)
    return Meteor() if wanted else None


def _evaluate_labels(
    name: str, dataset: Path, split: str, confusion: Path | None, as_json: bool
) -> None:
    from captioner.datasets.readers import read_dataset
    from captioner.evaluation.accuracy import count_confusion, write_confusion
    from captioner.evaluation.evaluation import describe_images
    from captioner.presets.storage import read_preset

    preset = read_preset(name, task=None)
    clips = read_dataset(dataset, task=preset.task, seed=preset.config["split_seed"])
    examples = list(clips.examples) if split == "all" else clips.split(split)
    given = describe_images(
        [name],
        {example.id: Path(example.path) for example in examples},
        report=lambda line: click.echo(f"left out: {line}", err=True),
    )
    truth = {example.id: str(example.label) for example in examples if example.id in given}
    report = count_confusion(preset.labels, list(truth.values()), [given[id_] for id_ in truth])
    if confusion:
        write_confusion(report, confusion)
    click.echo(json.dumps(report.to_json(), indent=2) if as_json else report.to_text())


def _from_references(
    path: Path, images: Path | None, split: str, captions: dict[str, str]
) -> tuple["ReferenceSet", dict[str, Path]]:
    """Return the references in a file, and the expected paths of their images."""
    from captioner.evaluation.references import read_references

    truth = read_references(path, split=split, image_ids=captions)
    folder = images or path.parent
    return truth, {image: folder / name for image, name in truth.files.items() if name}
