#!/usr/bin/env python
"""Put a trained preset into the package, with a model card and the search chosen on validation.

    python scripts/bundle_preset.py runs/mine/finetune/best mine --card CARD.md

A captioner's search options are those used to compare epochs; --search overrides them.
"""

import json
from dataclasses import replace
from pathlib import Path

import click

import captioner.presets.storage
from captioner.cli.endings import plain_errors
from captioner.engines.runtime import tensorflow_logs_hidden
from captioner.presets.storage import read_preset, write_preset
from captioner.results import ACTIVITY


@click.command()
@click.argument("trained", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("name")
@click.option("--card", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--search", multiple=True, metavar="OPTION=VALUE", help="Search option.")
def main(trained: Path, name: str, card: Path, search: tuple[str, ...]) -> None:
    """Bundle the preset in the folder TRAINED under NAME."""
    folder = Path(captioner.presets.storage.__file__).parent / name
    with plain_errors():
        preset = read_preset(trained, task=None)
        if preset.task == ACTIVITY:
            preset = replace(preset, card=card.read_text(encoding="utf-8"))
            write_preset(folder, preset, overwrite=True)
            _say_size(folder)
            return
        options = (option.partition("=") for option in search)
        chosen = {key: json.loads(value) for key, _, value in options}
        generation = {**preset.config["generation"], **chosen}
        with tensorflow_logs_hidden():
            from captioner.exports.graphs import with_graphs
        preset = replace(
            with_graphs(preset),  # the package's graphs may be newer than the training's
            config={**preset.config, "generation": generation},
            card=card.read_text(encoding="utf-8"),
        )
        write_preset(folder, preset, overwrite=True)
        _say_size(folder)


def _say_size(folder: Path) -> None:
    click.echo(f"{folder}: {sum(p.stat().st_size for p in folder.iterdir()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
