"""Options of `caption` for the wording of captions."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--prefix", default="", help='Words before each caption, such as "photo of".'),
    click.option("--suffix", default="", help='Words after each caption, such as ", 35 mm film".'),
    click.option(
        "--case",
        type=click.Choice(("lower", "sentence")),
        default="lower",
        show_default=True,
        help="sentence: with a capital letter and a full stop, as in alternative texts.",
    ),
    click.option(
        "--never",
        metavar="WORD",
        multiple=True,
        help="A word that no caption may contain: the search finds another sentence. Repeatable.",
    ),
    click.option(
        "--min-length",
        type=click.IntRange(min=1),
        help="Minimum number of words; default: the preset's.",
    ),
    click.option(
        "--gender-neutral",
        is_flag=True,
        help='Write "person" or "child" if the image leaves open whether it shows a man or a '
        "woman, a boy or a girl.",
    ),
)


class WordingChoice(NamedTuple):
    """The values of these options.

    Attributes:
        describe: Arguments of `Captioner.describe`.
        settings: Values that a report records, by option.
    """

    describe: dict[str, Any]
    settings: dict[str, Any]


def wording_options(command: _Command) -> _Command:
    """Add these options to a command, for `take_wording`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_wording(options: dict[str, Any]) -> WordingChoice:
    """Remove these options from a command's options and return them.

    Args:
        options: Options of a command, by name; those of `wording_options` are removed.

    Raises:
        click.UsageError: If a value of --never is not exactly one word.
    """
    never = sorted({word.lower() for word in options.pop("never")})
    for word in never:
        if len(word.split()) != 1:
            raise click.UsageError(f"--never {word!r}: give one word; repeat it for others.")
    prefix, suffix, case = (options.pop(name) for name in ("prefix", "suffix", "case"))
    min_length, neutral = options.pop("min_length"), options.pop("gender_neutral")
    describe: dict[str, Any] = {"gender_neutral": neutral}
    if never:
        describe["never"] = never
    if min_length is not None:
        describe["min_length"] = min_length
    if prefix or suffix or case != "lower":
        from captioner.text.wording import Wording

        describe["wording"] = Wording(prefix, suffix, case)
    settings = {
        "--prefix": prefix,
        "--suffix": suffix,
        "--case": None if case == "lower" else case,
        "--never": " ".join(never),
        "--min-length": min_length,
        "--gender-neutral": neutral,
    }
    return WordingChoice(describe, settings)


def check_lengths(choice: WordingChoice, max_length: float) -> None:
    """Reject a minimum length above the maximum.

    Raises:
        click.UsageError: If the minimum is above the maximum.
    """
    least = choice.describe.get("min_length", 0)
    if least > max_length:
        raise click.UsageError(
            f"--min-length {least} is above the maximum, {max_length} words: raise --max-length."
        )
