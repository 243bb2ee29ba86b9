"""Presets on disk: folders with config, weights, words or labels, model card and checksums."""

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
SUBWORD_FORMAT = 2  # of presets with subwords, which earlier versions would print as words
DEFAULT_PRESET = "vgg16_top_down"
GRAPH_FILES = frozenset(
    f"openvino_{graph}{suffix}"
    for graph in ("begin", "encode", "step")
    for suffix in (".bin", ".xml")
)
_FILES = {"config.json", "README.md", "model.safetensors"}  # in every preset


@dataclass(frozen=True)
class Preset:
    """A trained model, before a network is built from it.

    Attributes:
        config: For captions: `encoder`, `decoder` (with its `name`), `generation`; `frames`, the
            maximum per clip, if it was trained on clips; `tokenizer`, if tokens are subwords. For
            activities: `task`; `labels`, in the order of the classes; `encoder` as for
            `build_vgg16`, with the `fingerprint` of its frozen blocks; `trainable_from`; `side`;
            `reading`, options of `read_action`; `head`, its `name` and options.
        vocabulary: Vocabulary of the decoder; empty for an activity model.
        weights: Arrays by name: "encoder/..." and "decoder/..." or "head/...". Missing blocks of
            VGG16 are in the preset that `encoder` names.
        card: Model card, in Markdown.
        graphs: OpenVINO files of the network's structure by name, from `export_graphs`; none for
            a preset that only Keras can run.
        folder: Folder that the preset was read from; None if it was not read from disk.
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
        """The labels of an activity model, in the order of the classes."""
        return list(self.config.get("labels", ()))


def bundled_presets() -> list[str]:
    """List the presets in the package.

    Example:
        >>> "vgg16_top_down" in bundled_presets()
        True
    """
    return sorted(path.parent.name for path in Path(__file__).parent.glob("*/config.json"))


def preset_folder(name_or_folder: str | Path) -> Path:
    """Return the folder of a bundled preset or of a user's preset.

    Raises:
        CaptionerError: If there is no such preset.
    """
    bundled = Path(__file__).parent / str(name_or_folder)
    restore_folder(Path(name_or_folder))  # after a kill during its replacement
    for folder in (bundled, Path(name_or_folder)):
        if (folder / "config.json").is_file():
            return folder
    raise CaptionerError(
        f"{name_or_folder}: there is no such preset; give a folder from `captioner train`, or the "
        f"name of a bundled preset: {', '.join(bundled_presets())}"
    )


def write_preset(folder: str | Path, preset: Preset, overwrite: bool = False) -> None:
    """Write a preset atomically.

    The new preset is completed beside the old one and replaces it by renaming, so that a kill at
    any moment leaves one of the two.

    Args:
        folder: Target folder; missing, empty, or, with `overwrite`, a preset.
        preset: Preset to write, in the dtype of its weights: float16 halves the size.
        overwrite: If True, replace an existing preset.

    Raises:
        CaptionerError: If the folder contains other files than a preset's, or a preset and
            `overwrite` is False.
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
        # safetensors writes the memory of an array as it is, also that of a transposed one.
        weights = {name: np.asarray(array, order="C") for name, array in preset.weights.items()}
        # save_file would make the file readable only for its owner.
        (partial / "model.safetensors").write_bytes(save(weights))
        if preset.task == CAPTION:
            preset.vocabulary.save(partial / "vocabulary.json")
        for name, content in preset.graphs.items():
            (partial / name).write_bytes(content)
        write_checksums(partial)


def _check_replaceable(folder: Path, overwrite: bool) -> None:
    """Reject a folder that contains other files than a preset's."""
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
        raise CaptionerError(f"{folder} is not empty and is not a preset: choose another folder")
    if foreign := sorted(present - own - {CHECKSUMS}):
        raise CaptionerError(
            f"{folder} contains other files than its preset's ({', '.join(foreign[:3])}): move "
            "them elsewhere, or choose another folder"
        )
    if not overwrite:
        raise CaptionerError(
            f"{folder} already contains a preset: choose another folder, or replace it with "
            "--overwrite (in Python overwrite=True)"
        )


def read_preset(name_or_folder: str | Path, task: str | None = CAPTION) -> Preset:
    """Read a preset and check its files.

    Args:
        name_or_folder: Name of a bundled preset, or a folder.
        task: Required task, "caption" or "activity"; None for either.

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
            f"preset {folder} is for the task {found!r}, but one for {task!r} is needed: give "
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
            raise CaptionerError(f"its graphs are incomplete or have unknown files: {lacking}")
    graphs = {name: (folder / name).read_bytes() for name in names}
    return Preset(config, vocabulary, weights, card, graphs, folder)


def _read_files(
    folder: Path, further: Collection[str] = ()
) -> tuple[dict[str, Any], dict[str, np.ndarray], str]:
    """Read config, weights and card of a preset for any task, and check all its files.

    Args:
        folder: Folder of the preset.
        further: Names of other files of the preset.

    Raises:
        CaptionerError: If a file is missing or damaged, or has a newer format.
    """
    verify_checksums(folder, {*_FILES, *further})
    config = read_config(folder)
    if config.pop("format", None) != (SUBWORD_FORMAT if "tokenizer" in config else FORMAT):
        raise CaptionerError(f"preset {folder} has another format: update captioner")
    try:
        weights = load_file(folder / "model.safetensors")
    # Types that NumPy lacks raise KeyError or TypeError.
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
    """Add the preset's folder, if any, to the messages of errors."""
    try:
        yield
    except CaptionerError as error:
        if folder is None:
            raise
        raise CaptionerError(f"preset {folder}: {error}") from error
