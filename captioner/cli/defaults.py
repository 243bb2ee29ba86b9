"""Defaults of `caption` from the user's file; `captioner config` and `completion`."""

import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from captioner.cli.endings import plain_errors
from captioner.errors import CaptionerError

VARIABLE = "CAPTIONER_CONFIG"  # names another file; if empty, no file is read
# Options of a single run, or destructive ones.
_NOT_DEFAULTS = {"out", "overwrite", "explain", "html", "json", "jsonl", "csv", "version", "help"}


def config_path() -> Path | None:
    """Return the path of the defaults file, which may be missing; None if it is disabled."""
    if VARIABLE in os.environ:
        return Path(os.environ[VARIABLE]) if os.environ[VARIABLE] else None
    folder = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(folder).expanduser() / "captioner.toml"


def read_defaults(command: click.Command, path: Path | None) -> dict[str, Any]:
    """Read the defaults of a command's options.

    Args:
        command: Command; its long options, without dashes, are the keys of its table in the file.
        path: TOML file, which may be missing.

    Returns:
        Values by parameter name, as in click's `default_map`.

    Raises:
        CaptionerError: If the file cannot be read, or has an unknown option or an invalid value.
    """
    if path is None or not path.exists():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get(command.name or "", {})
    except (OSError, ValueError) as error:
        raise CaptionerError(f"cannot read {path} ({error}): correct or delete it") from error
    options = _options(command)
    defaults = {}
    for key, value in table.items():
        if key not in options:
            raise CaptionerError(
                f"{path}: there is no option {key!r}; there are {', '.join(sorted(options))}"
            )
        try:
            options[key].type_cast_value(click.Context(command), value)
        except (click.BadParameter, TypeError) as error:
            reason = getattr(error, "message", error)
            raise CaptionerError(f"{path}: {key} = {value!r}: {reason}") from error
        defaults[str(options[key].name)] = value
    return defaults


class ConfiguredCommand(click.Command):
    """A command whose defaults come from the user's file."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """See `click.Command`."""
        if "default_map" not in extra:
            with plain_errors():
                extra["default_map"] = read_defaults(self, config_path())
        return super().make_context(info_name, args, parent, **extra)


@click.command()
@click.argument("option", required=False)
@click.argument("values", nargs=-1)
@click.option("--unset", is_flag=True, help="Remove the default of OPTION from the file.")
def config(option: str | None, values: tuple[str, ...], unset: bool) -> None:
    """Show the file with defaults of `caption`, or set the default of OPTION in it.

    The command line overrides it. CAPTIONER_CONFIG names another file; if empty, none is used.

    \b
    captioner config case sentence
    captioner config sidecar txt xmp
    captioner config recursive true
    captioner config case --unset
    """  # noqa: D301
    path = config_path()
    if path is None:
        raise click.UsageError(f"{VARIABLE} is empty: no file holds defaults.")
    from captioner.cli.caption import main as caption

    with plain_errors():
        if option is not None:
            if bool(values) == unset:
                raise click.UsageError("Give OPTION and its value, or OPTION and --unset.")
            _write_default(caption, path, option.removeprefix("--"), values)
        read_defaults(caption, path)
        text = path.read_text(encoding="utf-8").strip() if path.exists() else ""
    click.echo(f"# {path}{'' if text else ', which holds no defaults'}")
    if text:
        click.echo(text)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script with which SHELL completes `caption` and `captioner` at the Tab key.

    \b
    captioner completion bash >> ~/.bashrc
    captioner completion fish > ~/.config/fish/completions/caption.fish
    """  # noqa: D301
    from click.shell_completion import get_completion_class

    from captioner.cli import main as captioner
    from captioner.cli.caption import main as caption

    kind = get_completion_class(shell)
    assert kind is not None
    for command, name in ((caption, "caption"), (captioner, "captioner")):
        click.echo(kind(command, {}, name, f"_{name.upper()}_COMPLETE").source())


def _options(command: click.Command) -> dict[str, click.Option]:
    """Return the options that may have defaults, by their long names."""
    found = {}
    for option in command.params:
        if isinstance(option, click.Option):
            names = [name.removeprefix("--") for name in option.opts if name.startswith("--")]
            if names and names[0] not in _NOT_DEFAULTS:
                found[names[0]] = option
    return found


def _write_default(command: click.Command, path: Path, key: str, values: Iterable[str]) -> None:
    import tomlkit

    from captioner.replacing import replacing

    options = _options(command)
    if key not in options:
        raise CaptionerError(
            f"there is no option {key!r} with a default: choose one of {', '.join(sorted(options))}"
        )
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    read_defaults(command, path)  # reports an error in the file before it is changed
    document: Any = tomlkit.parse(text)
    table = document.setdefault(command.name, tomlkit.table())
    if given := list(values):
        table[key] = _convert(command, options[key], key, given)
    else:
        table.pop(key, None)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        partial.write_text(tomlkit.dumps(document), encoding="utf-8")


def _convert(command: click.Command, option: click.Option, key: str, given: list[str]) -> Any:
    """Return the TOML value of command-line words."""
    if len(given) > 1 and not option.multiple:
        raise CaptionerError(f"{key} takes one value, not {len(given)}: give one")
    try:
        value = option.type_cast_value(
            click.Context(command), given if option.multiple else given[0]
        )
    except click.BadParameter as error:
        raise CaptionerError(f"{key}: {error.message}") from error
    if isinstance(value, tuple | list):
        return list(map(str, value))
    return value if isinstance(value, bool | int | float) else str(value)
