"""Presets on disk: a folder of config, weights, words or labels, model card and checksums."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from captioner.errors import CaptionerError
from captioner.presets.checksums import CHECKSUMS, verify_checksums, write_checksums
from captioner.presets.preset_check import check_captioner, check_recognizer, read_config
from captioner.replacing import replacing_folder, restore_folder
from captioner.results import ACTIVITY, CAPTION
from captioner.text.subwords import Subwords
from captioner.text.vocabulary import Vocabulary

FORMAT = 1
SUBWORD_FORMAT = 2  # of presets with pieces of words, which versions before would print as words
DEFAULT_PRESET = "vgg16_top_down"
GRAPH_FILES = frozenset(
    f"openvino_{graph}{suffix}"
    for graph in ("begin", "encode", "step")
    for suffix in (".bin", ".xml")
)
_FILES = {"config.json", "README.md", "model.safetensors"}  # that every preset has


@dataclass(frozen=True)
class Preset:
    """A trained model, before any network is built of it.

    Attributes:
        config: For captions `encoder`, `decoder` (with its `name`), `generation`; `frames`, of a
            clip at most, if it was trained on clips; `tokenizer`, if tokens are pieces of words.
            For activities `task`; `labels`, in the order of the classes; `encoder` as `build_vgg16`
            takes it, with the `fingerprint` of its frozen blocks; `trainable_from`; `side`;
            `reading`, options of `read_action`; `head`, its `name` and options.
        vocabulary: The words of the decoder; those of a model of activities are none.
        weights: Arrays by name: "encoder/..." and "decoder/..." or "head/...". Blocks of VGG16
            that are missing are those of the preset that `encoder` names.
        card: The model card, Markdown.
        graphs: Files of the network's structure for OpenVINO by name, as `export_graphs` makes
            them; none for a preset that only Keras can run.
    """

    config: dict[str, Any]
    vocabulary: Vocabulary
    weights: dict[str, np.ndarray]
    card: str
    graphs: dict[str, bytes] = field(default_factory=dict)
    folder: Path | None = field(default=None, compare=False)

    @property
    def task(self) -> str:
        """The task: "caption" or "activity"."""
        return str(self.config.get("task", CAPTION))

    @property
    def labels(self) -> list[str]:
        """The labels of a model of activities, in the order of the classes."""
        return list(self.config.get("labels", ()))


def bundled_presets() -> list[str]:
    """List the presets that come with the package.

    Example:
        >>> "vgg16_top_down" in bundled_presets()
        True
    """
    return sorted(path.parent.name for path in Path(__file__).parent.glob("*/config.json"))


def preset_folder(name_or_folder: str | Path) -> Path:
    """Return the folder of a bundled preset, or of one of the user's.

    Raises:
        CaptionerError: If there is neither.
    """
    bundled = Path(__file__).parent / str(name_or_folder)
    restore_folder(Path(name_or_folder))  # that a killed run left aside
    for folder in (bundled, Path(name_or_folder)):
        if (folder / "config.json").is_file():
            return folder
    raise CaptionerError(
        f"{name_or_folder}: there is no such preset; give a folder that `captioner train` made, or "
        f"the name of a bundled one: {', '.join(bundled_presets())}"
    )


def write_preset(folder: str | Path, preset: Preset, overwrite: bool = False) -> None:
    """Write a preset, as a whole or not at all.

    The new preset is completed beside the old one and takes its place by renaming, so that a kill
    at any moment leaves one of the two.

    Args:
        folder: Where to; missing, empty, or with `overwrite` a preset.
        preset: Weights are written in the format that they have: float16 halves the size.
        overwrite: Replace a preset that is there.

    Raises:
        CaptionerError: If the folder holds anything but a preset's files, or a preset that is not
            to be overwritten.
    """
    folder = Path(folder)
    _check_replaceable(folder, overwrite)
    with replacing_folder(folder) as partial:
        config = preset.config
        version = FORMAT
        if isinstance(preset.vocabulary, Subwords):
            version, config = SUBWORD_FORMAT, {**config, "tokenizer": preset.vocabulary.options}
        text = json.dumps({"format": version, **config}, indent=1)
        (partial / "config.json").write_text(text + "\n", encoding="utf-8")
        (partial / "README.md").write_text(preset.card, encoding="utf-8")
        # save_file would make the file readable by its owner alone.
        (partial / "model.safetensors").write_bytes(save(preset.weights))
        if preset.task == CAPTION:
            preset.vocabulary.save(partial / "vocabulary.json")
        for name, content in preset.graphs.items():
            (partial / name).write_bytes(content)
        write_checksums(partial)


def _check_replaceable(folder: Path, overwrite: bool) -> None:
    """Refuse a folder in which the user may have anything that is not a preset's."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise CaptionerError(f"{folder} is a file: choose another folder")
    present = {path.name for path in folder.iterdir()}
    if not present:
        return
    try:
        config = read_config(folder)
        lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    except (CaptionerError, OSError, ValueError):
        config, lines = {}, []
    own = {line.partition("  ")[2] for line in lines}
    if "format" not in config or not own >= _FILES:
        raise CaptionerError(f"{folder} is not empty and is no preset: choose another folder")
    if foreign := sorted(present - own - {CHECKSUMS}):
        raise CaptionerError(
            f"{folder} holds more than its preset ({', '.join(foreign[:3])}): move these files "
            "elsewhere, or choose another folder"
        )
    if not overwrite:
        raise CaptionerError(
            f"{folder} holds a preset already: choose another folder, or overwrite it by "
            "--overwrite (in Python overwrite=True)"
        )


def read_preset(name_or_folder: str | Path, task: str | None = CAPTION) -> Preset:
    """Read a preset and check that its files are whole.

    Args:
        name_or_folder: A bundled preset's name, or a folder.
        task: "caption" or "activity", which the preset must be for; None for either.

    Raises:
        CaptionerError: If it is missing, damaged, of a newer format, or for another task.
    """
    folder = preset_folder(name_or_folder)
    found = read_config(folder).get("task", CAPTION)
    if found not in (CAPTION, ACTIVITY):
        raise CaptionerError(
            f"preset {folder} is for the task {found!r:.100}, which this version does not know: "
            "update captioner"
        )
    if task not in (None, found):
        raise CaptionerError(
            f"preset {folder} is for the task {found!r}, where one for {task!r} is needed: give "
            "another preset"
        )
    if found == ACTIVITY:
        config, weights, card = _read_files(folder)
        with naming(folder):
            check_recognizer(config, weights)
        return Preset(config, Vocabulary({}), weights, card, folder=folder)
    names = sorted(path.name for path in folder.glob("openvino_*"))
    config, weights, card = _read_files(folder, {"vocabulary.json", *names})
    vocabulary = Vocabulary.load(folder / "vocabulary.json")
    with naming(folder):
        check_captioner(config, weights, vocabulary.words)
        if "tokenizer" in config:
            options = {k: v for k, v in config["tokenizer"].items() if k != "name"}
            vocabulary = Subwords(vocabulary.counts, **options)
        if names and names != sorted(GRAPH_FILES):
            lacking = ", ".join(sorted(GRAPH_FILES ^ set(names)))
            raise CaptionerError(f"{lacking} should be, or not be, among its graphs")
    graphs = {name: (folder / name).read_bytes() for name in names}
    return Preset(config, vocabulary, weights, card, graphs, folder)


def _read_files(
    folder: Path, further: Collection[str] = ()
) -> tuple[dict[str, Any], dict[str, np.ndarray], str]:
    """Read config, weights and card of a preset of whatever task, and check all its files.

    Args:
        folder: Of the preset.
        further: Names of other files that the preset is read from.

    Raises:
        CaptionerError: If it is missing, damaged, of a newer format, or for another task.
    """
    verify_checksums(folder, {*_FILES, *further})
    config = read_config(folder)
    if config.pop("format", None) != (SUBWORD_FORMAT if "tokenizer" in config else FORMAT):
        raise CaptionerError(f"preset {folder} has another format: update captioner")
    try:
        weights = load_file(folder / "model.safetensors")
    # What NumPy has no type for is a KeyError or TypeError there.
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise CaptionerError(
            f"preset {folder}: cannot read model.safetensors ({error}): download or reinstall it"
        ) from error
    try:
        card = (folder / "README.md").read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CaptionerError(
            f"preset {folder}: cannot read README.md ({error}): download or reinstall it"
        ) from error
    return config, weights, card


@contextmanager
def naming(folder: Path | None) -> Iterator[None]:
    """Say of which preset an error is; of one that was never on the disk, nothing."""
    try:
        yield
    except CaptionerError as error:
        if folder is None:
            raise
        raise CaptionerError(f"preset {folder}: {error}") from error
