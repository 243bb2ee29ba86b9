"""Options of `caption` that say how captions are worded."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--prefix", default="", help='Words before each caption, such as "photo of".'),
    click.option("--suffix", default="", help='Words behind it, such as ", 35 mm film".'),
    click.option(
        "--case",
        type=click.Choice(("lower", "sentence")),
        default="lower",
        show_default=True,
        help="sentence begins with a capital and ends with a full stop, as alternative texts do.",
    ),
    click.option(
        "--never",
        metavar="WORD",
        multiple=True,
        help="A word that no caption may contain: the search finds another sentence. Repeatable.",
    ),
    click.option(
        "--min-length", type=click.IntRange(min=1), help="Words at least; by default the preset's."
    ),
    click.option(
        "--gender-neutral",
        is_flag=True,
        help='Say "person" and "child" where the picture leaves open whether it is a man or a '
        "woman, a boy or a girl.",
    ),
)


class WordingChoice(NamedTuple):
    """What these options ask for.

    Attributes:
        describe: Arguments of `Captioner.describe`.
        settings: What a report records of them, by option.
    """

    describe: dict[str, Any]
    settings: dict[str, Any]


def wording_options(command: _Command) -> _Command:
    """Give a command these options; `take_wording` reads them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_wording(options: dict[str, Any]) -> WordingChoice:
    """Take these options out of others.

    Args:
        options: Of a command, by name; those of `wording_options` are removed.

    Raises:
        click.UsageError: A word of --never is several words, or none.
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
    """Refuse a least length that is more than the most.

    Raises:
        click.UsageError: It is.
    """
    least = choice.describe.get("min_length", 0)
    if least > max_length:
        raise click.UsageError(
            f"--min-length {least} is over the most, {max_length} words: give --max-length, too."
        )
