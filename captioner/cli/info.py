"""`captioner info`: show the facts about a preset."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from captioner.cli.endings import plain_errors
from captioner.errors import CaptionerError

if TYPE_CHECKING:
    from captioner.presets.storage import Preset


_TASKS = {"activity": "labels activities in clips", "caption": "describes images and videos"}


@click.command()
@click.argument("preset", required=False)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def info(preset: str | None, as_json: bool) -> None:
    """Show PRESET, a name or a folder, and check its files; without it, list bundled presets.

    The exit code is 1 if a file of the preset is damaged.
    """
    from captioner.presets.storage import bundled_presets, preset_folder, read_preset

    if preset is None:
        tasks = {name: read_preset(name, task=None).task for name in bundled_presets()}
        if as_json:
            click.echo(json.dumps([{"name": name, "task": task} for name, task in tasks.items()]))
        else:
            for name, task in tasks.items():
                click.echo(f"{name}\t{_TASKS[task]}")
        return
    try:
        folder = preset_folder(preset)
    except CaptionerError as error:
        raise click.BadParameter(str(error), param_hint="PRESET") from error
    with plain_errors():
        facts = _facts(folder, read_preset(folder, task=None))
    click.echo(json.dumps(facts, indent=1, ensure_ascii=False) if as_json else _as_text(facts))


def _facts(folder: Path, preset: "Preset") -> dict[str, Any]:
    config = {key: value for key, value in preset.config.items() if key != "presence_words"}
    parameters = {
        part: size
        for part in ("encoder", "decoder", "head")
        if (size := sum(a.size for n, a in preset.weights.items() if n.startswith(f"{part}/")))
    }
    facts = {
        **config,
        "name": folder.name,
        "folder": str(folder),
        "task": preset.task,
        "encoder": {"name": "vgg16", **config["encoder"]},
        "parameters": parameters,
        "bytes": sum(path.stat().st_size for path in folder.iterdir()),
        "checksums": "valid",  # read_preset raises an error otherwise
        "card": preset.card,
    }
    if preset.task == "caption":
        facts["vocabulary"] = len(preset.vocabulary)
    order = ("name", "folder", "task", "encoder", "decoder", "vocabulary", "parameters", "bytes")
    first = {key: facts.pop(key) for key in order if key in facts}
    return {**first, **facts}


def _as_text(facts: dict[str, Any]) -> str:
    lines = dict(facts)
    parts = lines["parameters"]
    each = ", ".join(f"{part} {size:,}" for part, size in parts.items())
    lines["parameters"] = f"{sum(parts.values()):,}: {each}"
    lines["size"] = f"{lines.pop('bytes') / 1e6:.1f} MB"
    if "vocabulary" in lines:
        kind = "subwords" if facts.get("tokenizer") else "words"
        lines["vocabulary"] = f"{lines['vocabulary']:,} {kind}, special tokens included"
    if "labels" in lines:
        lines["labels"] = ", ".join(lines["labels"])
    lines.pop("training", None)
    lines.update(_training(facts.get("training")))
    return _table(lines, facts["card"])


def _training(training: Any) -> dict[str, str]:
    """Return lines about the preset's training; none for presets of earlier versions."""
    try:
        return _training_lines(training) if training is not None else {}
    except (AttributeError, KeyError, TypeError, ValueError):
        return {"training": "unreadable in the config"}


def _training_lines(training: dict[str, Any]) -> dict[str, str]:
    known = {key: training.get(key) or {} for key in ("options", "validation", "versions")}
    data = known["options"].get("data", {})
    # Each of several data sets has its own hash; a data set of clips has one.
    hashes = {name: part["content"] for name, part in data.items() if isinstance(part, dict)}
    hashes = hashes or {"clips": data.get("content", "unknown")}
    return {
        "data": ", ".join(f"{name} sha256 {sha[:16]}" for name, sha in hashes.items()),
        "seed": str(known["options"].get("seed", "unknown")),
        "validation": ", ".join(
            f"{k} {100 * v:.1f}" for k, v in known["validation"].items() if "CIDEr-D" not in k
        ),  # presets of earlier versions list the same score as CIDEr and as CIDEr-D
        "trained by": f"captioner {training.get('captioner')}, commit {training.get('commit')}",
        "versions": ", ".join(f"{name} {number}" for name, number in known["versions"].items()),
    }


def _table(lines: dict[str, Any], card: str) -> str:
    rows = {
        name: _options(value) if isinstance(value, dict) else value
        for name, value in lines.items()
        if name != "card"
    }
    width = max(12, *(len(name) + 2 for name in rows))
    table = "\n".join(f"{name:{width}}{value}" for name, value in rows.items())
    return f"{table}\n\n{card.rstrip()}"


def _options(options: dict[str, Any]) -> str:
    name = options.get("name")
    rest = ", ".join(f"{key} {value}" for key, value in options.items() if key != "name")
    return f"{name} ({rest})" if name and rest else name or rest
