"""`captioner info`: what a preset is."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from captioner.commands.errors import plain_errors
from captioner.errors import CaptionerError

if TYPE_CHECKING:
    from captioner.presets.activity import ActivityPreset
    from captioner.presets.storage import Preset

_TASKS = {"activity": "names what is done in clips", "caption": "describes images and videos"}


@click.command()
@click.argument("preset", required=False)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def info(preset: str | None, as_json: bool) -> None:
    """Show what PRESET is, a name or a folder, and check its files; without it, list the bundled.

    The exit code is 1 if a file of the preset is damaged.
    """
    from captioner.presets.activity import is_activity_preset, read_activity_preset
    from captioner.presets.storage import bundled_presets, preset_folder, read_preset

    if preset is None:
        tasks = {
            name: "activity" if is_activity_preset(preset_folder(name)) else "caption"
            for name in bundled_presets()
        }
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
        if is_activity_preset(folder):
            facts = _activity_facts(folder, read_activity_preset(folder))
            text = _table({**facts, "labels": ", ".join(facts["labels"])}, facts["card"])
        else:
            facts = _facts(folder, read_preset(folder))
            text = _as_text(facts)
    click.echo(json.dumps(facts, indent=1, ensure_ascii=False) if as_json else text)


def _activity_facts(folder: Path, preset: "ActivityPreset") -> dict[str, Any]:
    return {
        "name": folder.name,
        "folder": str(folder),
        "task": "activity",
        **preset.config,
        "parameters": sum(array.size for array in preset.weights.values()),
        "bytes": sum(path.stat().st_size for path in folder.iterdir()),
        "checksums": "valid",  # read_activity_preset refuses any other
        "card": preset.card,
    }


def _facts(folder: Path, preset: "Preset") -> dict[str, Any]:
    parameters = {
        part: sum(a.size for name, a in preset.weights.items() if name.startswith(f"{part}/"))
        for part in ("encoder", "decoder")
    }
    return {
        "name": folder.name,
        "folder": str(folder),
        "encoder": {"name": "vgg16", **preset.config["encoder"]},
        "decoder": preset.config["decoder"],
        "vocabulary": len(preset.vocabulary),
        "parameters": parameters,
        "bytes": sum(path.stat().st_size for path in folder.iterdir()),
        "checksums": "valid",  # read_preset refuses any other
        "generation": preset.config["generation"],
        "card": preset.card,
    }


def _as_text(facts: dict[str, Any]) -> str:
    encoder, decoder = facts["parameters"]["encoder"], facts["parameters"]["decoder"]
    lines = {
        "name": facts["name"],
        "folder": facts["folder"],
        "encoder": _options(facts["encoder"]),
        "decoder": _options(facts["decoder"]),
        "vocabulary": f"{facts['vocabulary']:,} words, special tokens included",
        "parameters": f"{encoder + decoder:,}: encoder {encoder:,}, decoder {decoder:,}",
        "size": f"{facts['bytes'] / 1e6:.1f} MB",
        "checksums": facts["checksums"],
        "generation": _options(facts["generation"]),
    }
    return _table(lines, facts["card"])


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
