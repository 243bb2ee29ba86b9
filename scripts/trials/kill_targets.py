"""The commands that are killed: what they work on, what they write, and what may never be there."""

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trials.bad_images import picture

PICTURES = 24
_LIBRARY = "pictures.db"
_RUN = "from captioner.{0} import main; main(prog_name='{1}')"


@dataclass(frozen=True)
class KillTarget:
    """A command that is killed.

    Args:
        name: Of the command.
        arguments: Its command line; the last one is the folder that it writes to.
        result: Reads what is comparable of a finished run from that folder.
        check: Raises an AssertionError if a folder holds something half-written.
    """

    name: str
    arguments: Callable[[Path], list[str]]
    result: Callable[[Path], object]
    check: Callable[[Path], None]

    def start(self, out: Path) -> "subprocess.Popen[bytes]":
        """Start the command in a process of its own."""
        is_caption = self.name.startswith("caption --")
        module, name = ("cli.caption", "caption") if is_caption else ("cli", "captioner")
        command = [sys.executable, "-c", _RUN.format(module, name), *self.arguments(out)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def finish(self, out: Path) -> float:
        """Run to the end; return the seconds that it took."""
        began = time.monotonic()
        process = self.start(out)
        _, said = process.communicate()
        assert process.returncode == 0, f"{self.name} ends with {process.returncode}: {said!r}"
        return time.monotonic() - began


def kill_targets(folder: Path, preset: str) -> list[KillTarget]:
    """Make the pictures, weights and recipe, and the commands that work on them."""
    table, weights = _workspace(folder)
    files = sorted(str(path) for path in folder.glob("*.png"))
    recipe = folder / "recipe.yaml"
    common = ["--dataset", str(table)]

    def prepare(out: Path) -> list[str]:
        return ["prepare", str(table), "--weights", str(weights), "--batch-size", "1",
                "--out", str(out)]  # fmt: skip

    def train(out: Path) -> list[str]:
        return ["train", str(recipe), "--run", str(out), "--features", str(out / "features")]

    def caption(out: Path) -> list[str]:
        out.mkdir(exist_ok=True)
        return [*files, "--preset", preset, "--batch-size", "1", "--out", str(out / "rows.jsonl")]

    def library(out: Path) -> list[str]:
        out.mkdir(exist_ok=True)
        return [*files, "--preset", preset, "--batch-size", "1", "--library", str(out / _LIBRARY)]

    def teach(out: Path) -> list[str]:
        return ["teach", str(table), "--preset", str(folder / "start"), "--out", str(out / "new"),
                "--report", str(out / "page.html")]  # fmt: skip

    def evaluate(out: Path) -> list[str]:
        out.mkdir(exist_ok=True)
        return ["evaluate", "--preset", preset, *common, "--split", "all", "--no-meteor",
                "--resamples", "20", "--write-results", str(out / "results.json"),
                "--html", str(out / "page.html")]  # fmt: skip

    return [
        KillTarget("prepare", prepare, _bytes("features.npy", "index.json"), _whole_json),
        KillTarget("train", train, _bytes("*/best/SHA256SUMS"), _whole_presets),
        KillTarget("teach", teach, _bytes("new/SHA256SUMS", "page.html"), _whole_presets),
        KillTarget("caption --out", caption, _rows, _no_row_twice),
        KillTarget("caption --library", library, _kept, _sound_library),
        KillTarget("evaluate", evaluate, _bytes("results.json", "page.html"), _whole_json),
    ]


def _workspace(folder: Path) -> tuple[Path, Path]:
    import keras

    from captioner.models.vgg16 import VGG16Encoder

    lines = ["image,caption,split"]
    for number in range(PICTURES):
        picture().rotate(15 * number).save(folder / f"{number:02d}.png")
        split = "val" if number < 4 else "train"
        words = ("red", "green", "blue")[number % 3]
        lines.append(f"{number:02d}.png,a {words} wall,{split}")
    (folder / "captions.csv").write_text("\n".join(lines) + "\n")
    keras.utils.set_random_seed(0)
    encoder = VGG16Encoder(weights=None)
    encoder.backbone.save_weights(folder / "vgg16.weights.h5")
    _write_start(folder / "start", encoder)
    stage = {"epochs": 3, "batch_size": 4, "warmup_steps": 2, "learning_rate": 0.002}
    recipe = {
        "dataset": str(folder / "captions.csv"),
        "features": "features",
        "run": "run",
        "encoder": {"weights": str(folder / "vgg16.weights.h5")},
        "decoder": {"name": "top_down", "units": 16, "embedding_size": 16},
        "min_count": 1,
        "max_length": 4,
        "captions_per_image": 1,
        "precision": "float32",
        "stages": [
            {"name": "frozen", **stage},
            {"name": "rewarded", **stage, "objective": "self_critical", "label_smoothing": 0},
        ],
    }
    (folder / "recipe.yaml").write_text(json.dumps(recipe))
    return folder / "captions.csv", folder / "vgg16.weights.h5"


def _write_start(folder: Path, encoder: Any) -> None:
    """Write the preset that is taught: it knows one colour of three."""
    from captioner.exports.graphs import with_graphs
    from captioner.models.build import build_decoder
    from captioner.presets.network import capture_weights
    from captioner.presets.storage import Preset, write_preset
    from captioner.text.vocabulary import Vocabulary

    vocabulary = Vocabulary({"a": 9, "red": 3, "wall": 9})
    options = {"name": "top_down", "units": 16, "embedding_size": 16}
    decoder = build_decoder(**options, channels=encoder.channels, vocabulary_size=len(vocabulary))
    config = {
        "encoder": encoder.options,
        "decoder": options,
        "generation": {"beam_width": 3, "max_length": 4, "length_power": 0.7},
    }
    preset = Preset(config, vocabulary, capture_weights(encoder, decoder), "# Model card\n")
    write_preset(folder, with_graphs(preset))


def _bytes(*patterns: str) -> Callable[[Path], object]:
    def result(out: Path) -> object:
        paths = [path for pattern in patterns for path in sorted(out.glob(pattern))]
        assert len(paths) >= len(patterns), f"{out} lacks one of {patterns}"
        return [path.read_bytes() for path in paths]

    return result


def _whole_json(out: Path) -> None:
    for path in out.rglob("*.json"):
        if not path.name.startswith("."):  # names of files that are being written
            json.loads(path.read_text())


def _whole_presets(out: Path) -> None:
    from captioner.presets.storage import read_preset

    _whole_json(out)
    for path in (*out.glob("*/best/config.json"), *out.glob("*/config.json")):
        read_preset(path.parent)


def _rows(out: Path) -> object:
    rows = [json.loads(line) for line in (out / "rows.jsonl").read_text().splitlines()]
    return [(Path(row["path"]).name, row["caption"]) for row in rows]


def _no_row_twice(out: Path) -> None:
    if not (out / "rows.jsonl").exists():
        return
    lines = (out / "rows.jsonl").read_text().splitlines(keepends=True)
    whole = [json.loads(line)["path"] for line in lines if line.endswith("\n")]
    assert len(whole) == len(set(whole)), "a row twice"


def _kept(out: Path) -> object:
    """Read what a library says of each file, but for when it was described."""
    _sound_library(out)
    with closing(sqlite3.connect(out / _LIBRARY)) as library:
        return library.execute(
            "SELECT path, sha256, width, height, files.model, caption, confidence, log_prob, text "
            "FROM files JOIN captions ON captions.file = files.id ORDER BY path, start"
        ).fetchall()


def _sound_library(out: Path) -> None:
    """Check a library by what SQLite knows of it, its search index, too."""
    if not (out / _LIBRARY).exists():
        return
    with closing(sqlite3.connect(out / _LIBRARY)) as library:
        assert library.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert library.execute("PRAGMA foreign_key_check").fetchall() == []
        if library.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            library.execute("INSERT INTO captions_fts (captions_fts) VALUES ('integrity-check')")
            bare = "SELECT path FROM files WHERE id NOT IN (SELECT file FROM captions)"
            assert library.execute(bare).fetchall() == [], "a file without its captions"
