"""Options that `caption`, `captioner batch` and `captioner serve` share."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

if TYPE_CHECKING:
    from captioner.presets.storage import Preset

_Command = TypeVar("_Command", bound=Callable[..., Any])


def adds(*options: Callable[[Any], Any]) -> Callable[[_Command], _Command]:
    """Return a decorator that adds options to a command, in this order."""

    def add(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


model_options = adds(
    click.option(
        "--preset",
        help="Name or folder of the model; default: the bundled captioning model. An activity "
        "model labels each clip; a folder of numbered frames is also a clip.",
    ),
    click.option(
        "--engine",
        default="auto",
        show_default=True,
        type=click.Choice(["auto", "openvino", "keras"]),
        help="Engine that runs the network; auto: openvino, the fastest on a CPU, where possible, "
        "and keras on a cluster with GPUs. Without a cluster, choose keras for a GPU.",
    ),
    click.option(
        "--precision",
        default="auto",
        show_default=True,
        type=click.Choice(["auto", "bfloat16", "float32"]),
        help="Numeric precision; auto: bfloat16 where the processor supports it.",
    ),
)
wording_options = adds(
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
captioning_options = adds(
    click.option("--whole", is_flag=True, help="One sentence per video instead of one per shot."),
    click.option(
        "--every",
        metavar="SECONDS",
        type=click.FloatRange(min=0, min_open=True),
        help="One sentence per window of this length instead of one per shot.",
    ),
    click.option(
        "-n",
        "--num-captions",
        default=1,
        show_default=True,
        type=click.IntRange(min=1),
        help="Sentences per image or shot, or labels per clip, best first.",
    ),
    click.option(
        "--beam-width",
        type=click.IntRange(min=1),
        help="Beams of the search, at least --num-captions; default: the preset's.",
    ),
    click.option(
        "--max-length",
        type=click.IntRange(min=1),
        help="Maximum number of words; default: the preset's.",
    ),
    wording_options,
    click.option(
        "--mirror",
        is_flag=True,
        help="Also attend to the mirror image of each frame: slightly better, at twice the time.",
    ),
    click.option(
        "--min-confidence",
        metavar="SHARE",
        default=0.0,
        type=click.FloatRange(0, 1),
        help='Minimum confidence, 0 to 1; below it, the row says "no confident description". In '
        'JSON the caption is empty and "uncertain" is true.',
    ),
    click.option(
        "--batch-size",
        default=16,
        show_default=True,
        type=click.IntRange(min=1),
        help="Frames encoded together.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        default=math.inf,
        metavar="SECONDS",
        help="Give up on a file that takes longer than this to read; default: no limit.",
    ),
)
_OF_LABELS = ("--num-captions", "--whole")  # options that apply to activity models, too


class Chosen(NamedTuple):
    """The values of these options.

    Attributes:
        describe: Arguments of `Captioner.describe`.
        settings: Options that change captions, by name, as given; a report records them.
    """

    describe: dict[str, Any]
    settings: dict[str, Any]


def take_options(given: dict[str, Any], preset: "Preset", name: str) -> Chosen:
    """Remove the options of captions and of their wording from those of a command.

    Args:
        given: Options of the command, by parameter name.
        preset: Preset that will use them.
        name: Name of the preset, for errors.

    Raises:
        click.UsageError: If options contradict each other or do not apply to the preset.
    """
    never = sorted({word.lower() for word in given.pop("never")})
    prefix, suffix, case = (given.pop(key) for key in ("prefix", "suffix", "case"))
    whole, every = given.pop("whole", False), given.pop("every", None)
    keys = ("num_captions", "beam_width", "max_length", "mirror", "min_confidence")
    search = {key: given.pop(key, None) for key in keys}
    length = {key: given.pop(key) for key in ("min_length", "gender_neutral")}
    settings = {
        **{f"--{key.replace('_', '-')}": value for key, value in search.items()},
        "--whole": whole,
        "--every": every,
        "--prefix": prefix,
        "--suffix": suffix,
        "--case": None if case == "lower" else case,
        "--never": " ".join(never),
        "--min-length": length["min_length"],
        "--gender-neutral": length["gender_neutral"],
    }
    if whole and every is not None:
        raise click.UsageError("--whole and --every at once: choose one.")
    for word in never:
        if len(word.split()) != 1:
            raise click.UsageError(f"--never {word!r}: give one word; repeat it for others.")
    _check(settings, preset, name)
    describe = {**search, **length, "never": never, "every": math.inf if whole else every}
    describe |= {key: given.pop(key) for key in ("batch_size", "timeout") if key in given}
    if search["max_length"] and not length["min_length"]:
        least = preset.config["generation"].get("min_length", 1)
        describe["min_length"] = min(least, search["max_length"])
    if prefix or suffix or case != "lower":
        from captioner.text.wording import Wording

        describe["wording"] = Wording(prefix, suffix, case)
    return Chosen({key: value for key, value in describe.items() if value}, settings)


def _check(settings: dict[str, Any], preset: "Preset", name: str) -> None:
    if preset.task == "activity":
        wrong = [key for key, value in settings.items() if value and key not in _OF_LABELS]
        if wrong:
            raise click.UsageError(f"{name} labels whole clips: leave out {', '.join(wrong)}.")
        return
    if "tokenizer" in preset.config and settings["--gender-neutral"]:
        raise click.UsageError(
            f"{name} writes subwords of any language, but --gender-neutral knows only English "
            "words: leave it out."
        )
    if settings["--min-confidence"] and preset.config.get("confidence") is None:
        raise click.UsageError(f"{name} is not calibrated: leave out --min-confidence.")
    least = settings["--min-length"] or 0
    most = settings["--max-length"] or preset.config["generation"].get("max_length", math.inf)
    if least > most:
        raise click.UsageError(
            f"--min-length {least} is above the maximum, {most} words: raise --max-length."
        )
