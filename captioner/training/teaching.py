"""Continues the training of a captioner on the user's images and keeps its other knowledge."""

import csv
import json
import math
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from captioner.captioner import Captioner
from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.mixture import DataConfig
from captioner.datasets.readers import read_dataset
from captioner.errors import CaptionerError
from captioner.evaluation.scores import score_captions
from captioner.exports.soup import TAUGHT_SHARE, average_presets
from captioner.presets.checksums import preset_identity
from captioner.presets.growth import grow_vocabulary
from captioner.presets.storage import (
    DEFAULT_PRESET,
    Preset,
    preset_folder,
    read_preset,
    write_preset,
)
from captioner.replacing import replacing
from captioner.text.subwords import GOES_ON, Subwords
from captioner.training.config import StageConfig, TrainConfig
from captioner.training.trainer import Trainer

_STEPS = 160  # steps of a training, at least; a step takes half a second on two cores
_EPOCHS = 8  # each epoch writes a checkpoint and captions the validation images
_BATCH = 16
_RESULT = "result"  # in the working folder


@dataclass(frozen=True)
class Taught:
    """The result of teaching.

    Attributes:
        preset: Folder of the taught preset.
        new_words: Words that are new in its vocabulary.
        unknown: Words of the captions that are too rare to be learned.
        history: Rows of the training's log.
        before: Scores on the validation images before teaching, fractions by metric.
        after: Scores on the validation images after teaching.
        samples: Validation examples, each with its captions before and after teaching.
    """

    preset: Path
    new_words: list[str]
    unknown: list[str]
    history: list[dict[str, str]]
    before: dict[str, float]
    after: dict[str, float]
    samples: list[tuple[Example, str, str]]


def teach(
    data: str | Path,
    out: str | Path,
    *,
    preset: str | Path = DEFAULT_PRESET,
    images: str | Path | None = None,
    overwrite: bool = False,
    seed: int = 1,
    share: float = TAUGHT_SHARE,
    report: Callable[[str], None] = print,
    page: str | Path | None = None,
    strict: bool = False,
) -> Taught:
    """Continue the training of a preset on the user's captions.

    The new words are added to the vocabulary; the decoder is trained on stored features, and VGG16
    does not change. The result is a weighted mean of the weights before and after training, which
    preserves most of the old knowledge (Wortsman et al. 2022). A killed run resumes; its files are
    in the folder `OUT.teaching` beside `out`, which is deleted at the end.

    Args:
        data: Path of a data set, see `read_dataset`.
        out: Folder of the new preset.
        preset: Preset to start from, a name or a folder.
        images: Folder of the images, if the data set does not name it.
        overwrite: If True, replace a preset in `out`.
        seed: Seed of the new words' embeddings and of the training.
        share: Share of the trained weights in the mean, 0 to 1; a larger one learns more and
            forgets more.
        report: Function that is called with lines of text.
        page: HTML file for a report, see `write_taught_page`.
        strict: If True, refuse a table with faulty rows; otherwise leave the rows out.

    Raises:
        CaptionerError: If the data cannot be read or has no images for training or validation, or
            if a killed run had other data, or another preset, seed or share.

    Source: Wortsman et al. 2022, "Robust fine-tuning of zero-shot models",
    https://arxiv.org/abs/2109.01903.

    Example:
        >>> teach("captions.csv", "mine").new_words  # doctest: +SKIP
        ['rex']
    """
    out = Path(out)
    work = out.with_name(f"{out.name}.teaching")
    overwrite = overwrite or _is_same(out, work / _RESULT)  # if a killed run has written it
    if out.exists() and not overwrite:
        raise CaptionerError(f"{out} is there already: give another --out, or --overwrite")
    dataset = read_dataset(data, images, strict=strict)
    train, val = _splits(dataset)
    known = read_preset(preset)
    start, new_words, unknown = _grow(known, train, seed)
    work.mkdir(parents=True, exist_ok=True)
    _hold(
        work,
        {
            "data": dataset.fingerprint(),
            "preset": preset_identity(preset_folder(preset)),
            "seed": seed,
            "share": share,
        },
    )
    write_preset(work / "start", start, overwrite=True)
    report(
        f"{len(train)} training images, {len(val)} validation images; "
        f"{len(new_words)} new words{': ' if new_words else ''}{', '.join(new_words[:20])}"
    )
    before = _caption(preset, val)
    config = _config(data, images, work, start, train, seed)
    best = read_preset(Trainer(config, report).train())
    best = replace(best, config=start.config)  # the training's config has dropout
    taught = average_presets([start, best], [1 - share, share])
    taught = replace(taught, config=known.config, graphs=best.graphs, card=_card(known, dataset))
    write_preset(work / _RESULT, taught, overwrite=True)
    after = _caption(work / _RESULT, val)
    with (work / "run" / "taught" / "log.csv").open(encoding="utf-8", newline="") as file:
        history = list(csv.DictReader(file))
    found = Taught(
        preset=out,
        new_words=new_words,
        unknown=unknown,
        history=history,
        before=_score(before, val),
        after=_score(after, val),
        samples=[(e, before[e.id], after[e.id]) for e in val if e.id in before],
    )
    if page is not None:
        from captioner.training.taught_page import write_taught_page

        write_taught_page(found, page)
    # Write the preset last, when all else is complete: a run killed before this can resume.
    write_preset(out, taught, overwrite)
    shutil.rmtree(work)
    return found


def _hold(work: Path, begun: dict[str, Any]) -> None:
    """Compare the inputs of a run with those of a killed run in the same folder."""
    path = work / "begun.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else begun
    if other := [name for name, value in begun.items() if known.get(name) != value]:
        raise CaptionerError(
            f"{work} belongs to an unfinished run with another {' and another '.join(other)}: "
            "give the same again, or delete that folder to start again"
        )
    with replacing(path) as partial:
        partial.write_text(json.dumps(begun), encoding="utf-8")


def _is_same(one: Path, other: Path) -> bool:
    """Return True if two folders have the same preset."""
    try:
        return preset_identity(one) == preset_identity(other)
    except CaptionerError:
        return False


def _splits(dataset: Dataset) -> tuple[list[Example], list[Example]]:
    parts = [[e for e in dataset.examples if e.split == split] for split in ("train", "val")]
    if not all(parts):
        lacking = "train" if not parts[0] else "val"
        raise CaptionerError(
            f'{dataset.name} has no images in the split "{lacking}": give at least four images '
            "without a split, or write `train` and `val` into a column `split`"
        )
    return parts[0], parts[1]


def _grow(known: Preset, train: list[Example], seed: int) -> tuple[Preset, list[str], list[str]]:
    """Return the preset with the new words of the captions, these words, and those too rare.

    If tokens are word pieces, new words are written with them, and only new characters are added.
    """
    if isinstance(known.vocabulary, Subwords):
        return _grow_alphabet(known, known.vocabulary, train, seed)
    counts = Counter(word for example in train for words in example.tokens for word in words)
    least = 1 if len(train) < 20 else 2  # in a larger set a word that occurs once may be a typo
    learnt = {word: n for word, n in counts.items() if word in known.vocabulary or n >= least}
    new = sorted(set(learnt) - set(known.vocabulary.words), key=lambda word: (-counts[word], word))
    start = grow_vocabulary(known, {word: learnt[word] for word in new}, seed)
    return start, new, sorted(set(counts) - set(learnt))


def _grow_alphabet(
    known: Preset, vocabulary: Subwords, train: list[Example], seed: int
) -> tuple[Preset, list[str], list[str]]:
    words = Counter(
        word
        for example in train
        for caption in example.captions
        for word in vocabulary.split(caption)
    )
    counts = Counter[str]()
    new = [word for word in words if vocabulary.unk_id in vocabulary.encode([word])]
    for word in new:
        for place, character in enumerate(word):
            piece = f"{GOES_ON if place else ''}{character}"
            if piece not in vocabulary:
                counts[piece] += words[word]
    new.sort(key=lambda word: (-words[word], word))
    return grow_vocabulary(known, counts, seed), new, []


def _config(
    data: str | Path,
    images: str | Path | None,
    work: Path,
    start: Preset,
    train: list[Example],
    seed: int,
) -> TrainConfig:
    count = len(train)
    batch = min(_BATCH, count)
    stage = StageConfig(
        name="taught",
        epochs=_EPOCHS,
        learning_rate=5e-4,
        batch_size=batch,
        warmup_steps=20,
        ema=0.9,
    )
    folder = None if images is None else str(images)
    times = max(1.0, _STEPS * batch / _EPOCHS / count)  # how often an epoch reads each image
    generation = dict(start.config["generation"])
    max_length = generation.pop("max_length")
    decoder: dict[str, Any] = {**start.config["decoder"], "dropout": 0.5}
    return TrainConfig(
        datasets=(DataConfig(str(data), name="taught", images=folder, weight=times),),
        features=str(work / "features"),
        run=str(work / "run"),
        stages=(stage,),
        start=str(work / "start"),
        vocabulary=str(work / "start"),
        encoder=dict(start.config["encoder"]),
        decoder=decoder,
        max_length=max_length,
        # If each image has only one caption, computing five would be a waste.
        captions_per_image=min(5, max(len(example.tokens) for example in train)),
        validation=generation,
        seed=seed,
    )


def _caption(preset: str | Path, examples: list[Example]) -> dict[str, str]:
    """Return a preset's captions by id, one for a whole clip; unreadable files are left out."""
    captioner = Captioner.from_preset(preset)
    found = captioner.describe([example.path for example in examples], every=math.inf)
    return {
        examples[result.index].id: result.caption.text
        for result in found
        if not isinstance(result.caption, CaptionerError)
    }


def _score(captions: dict[str, str], examples: list[Example]) -> dict[str, float]:
    references = {
        example.id: list(example.captions) for example in examples if example.id in captions
    }
    # Captions are readable text here; some scripts have no blanks between words.
    return score_captions(captions, references, tokenization="karpathy")


def _card(known: Preset, dataset: Dataset) -> str:
    sizes = Counter(example.split for example in dataset.examples)
    return (
        f"# Model card\n\nTaught on {dataset.name} ({sizes['train']} training images, "
        f"{sizes['val']} validation images) by `captioner teach`. Its confidence is calibrated for "
        f"the original model, whose card follows.\n\n{known.card.replace('# ', '## ', 1)}"
    )
