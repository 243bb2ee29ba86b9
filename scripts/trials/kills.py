"""SIGKILL at random moments: nothing lost, doubled or half-written, and the same result at last."""

import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from trials.bad_images import picture

PICTURES = 24
_RUN = "from captioner.{0} import main; main(prog_name='{1}')"


@dataclass(frozen=True)
class Target:
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
        module, name = (
            ("cli.caption", "caption") if self.name == "caption" else ("cli", "captioner")
        )
        command = [sys.executable, "-c", _RUN.format(module, name), *self.arguments(out)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def finish(self, out: Path) -> float:
        """Run to the end; return the seconds that it took."""
        began = time.monotonic()
        process = self.start(out)
        _, said = process.communicate()
        assert process.returncode == 0, f"{self.name} ends with {process.returncode}: {said!r}"
        return time.monotonic() - began


def kill(target: Target, folder: Path, kills: int, rng: random.Random) -> dict[str, int]:
    """Kill a command again and again, and let it finish after every few kills.

    Args:
        target: The command.
        folder: An empty one.
        kills: How often.
        rng: Where chance comes from.

    Returns:
        Counts of "kills", and of "rounds" whose result was that of an undisturbed run.

    Raises:
        AssertionError: If anything is not as it should be.
    """
    seconds = target.finish(folder / "undisturbed")
    expected = target.result(folder / "undisturbed")
    counts = {"kills": 0, "rounds": 0}
    while counts["kills"] < kills:
        out = folder / f"round_{counts['rounds']}"
        for _ in range(min(rng.randint(2, 5), kills - counts["kills"])):
            process = target.start(out)
            time.sleep(rng.uniform(0.2, 1.0) * seconds)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                counts["kills"] += 1
            _, said = process.communicate()
            assert process.returncode in (0, -signal.SIGKILL), f"{target.name}: {said!r}"
            target.check(out)
        target.finish(out)
        assert target.result(out) == expected, f"{target.name}: another result after kills"
        assert not list(out.rglob("*.part")) + list(out.rglob("*.old")), "a folder half made stays"
        counts["rounds"] += 1
        shutil.rmtree(out)
    return counts


def targets(folder: Path, preset: str) -> list[Target]:
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

    def evaluate(out: Path) -> list[str]:
        out.mkdir(exist_ok=True)
        return ["evaluate", "--preset", preset, *common, "--split", "all", "--no-meteor",
                "--resamples", "20", "--write-results", str(out / "results.json"),
                "--html", str(out / "page.html")]  # fmt: skip

    return [
        Target("prepare", prepare, _bytes("features.npy", "index.json"), _whole_json),
        Target("train", train, _bytes("*/best/SHA256SUMS"), _whole_presets),
        Target("caption", caption, _rows, _no_row_twice),
        Target("evaluate", evaluate, _bytes("results.json", "page.html"), _whole_json),
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
    VGG16Encoder(weights=None).backbone.save_weights(folder / "vgg16.weights.h5")
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
    for path in out.glob("*/best/config.json"):
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


@click.command()
@click.option("--kills", "number", default=52, show_default=True, help="Over four commands.")
@click.option("--preset", default="vgg16_top_down", show_default=True, help="For two of them.")
@click.option("--only", help="Kill this command alone.")
@click.option("--seed", default=1, show_default=True)
def kills(number: int, preset: str, only: str | None, seed: int) -> None:
    """Kill prepare, train, caption and evaluate at random moments, and compare the results."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder, "data")
        work.mkdir()
        chosen = [t for t in targets(work, preset) if only in (None, t.name)]
        for target in chosen:
            out = Path(folder, target.name)
            out.mkdir()
            counts = kill(target, out, number // len(chosen), rng)
            rounds = f"{counts['rounds']} of {counts['rounds']} results as undisturbed"
            click.echo(f"{target.name}: {counts['kills']} kills, {rounds}")
