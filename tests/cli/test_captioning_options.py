"""What the shared options of captioning become, and which of them a preset refuses."""

import math
from types import SimpleNamespace

import click
import pytest

from captioner.cli.captioning_options import captioning_options, take_options, wording_options
from captioner.text.wording import Wording

CAPTIONS = SimpleNamespace(
    task="caption",
    config={"generation": {"max_length": 18, "min_length": 5}, "confidence": {"slope": 1.0}},
)
SUBWORDS = SimpleNamespace(task="caption", config={**CAPTIONS.config, "tokenizer": {}})
UNCALIBRATED = SimpleNamespace(task="caption", config={"generation": {"max_length": 18}})
LABELS = SimpleNamespace(task="activity", config={})


def choose(arguments, preset=CAPTIONS, options=captioning_options):
    command = options(click.Command("test", params=[click.Option(["--quiet"], is_flag=True)]))
    given = command.make_context("test", arguments.split()).params
    chosen = take_options(given, preset, "mine")
    assert given == {"quiet": False}  # all others are taken
    return chosen


def test_by_default_nothing_is_asked_of_the_search():
    chosen = choose("")
    assert chosen.describe == {"num_captions": 1, "batch_size": 16, "timeout": math.inf}
    assert {name for name, value in chosen.settings.items() if value} == {"--num-captions"}
    assert choose("", options=wording_options).describe == {}


def test_each_option_has_its_argument_and_its_setting():
    text = "-n 2 --beam-width 4 --max-length 9 --min-length 3 --mirror --min-confidence 0.2"
    text += " --every 5 --timeout 7 --batch-size 8 --never Dog --never dog --case sentence"
    chosen = choose(text)
    assert chosen.describe == {
        "num_captions": 2, "beam_width": 4, "max_length": 9, "min_length": 3, "mirror": True,
        "min_confidence": 0.2, "every": 5.0, "timeout": 7.0, "batch_size": 8, "never": ["dog"],
        "wording": Wording("", "", "sentence"),
    }  # fmt: skip
    assert {name: value for name, value in chosen.settings.items() if value} == {
        "--num-captions": 2, "--beam-width": 4, "--max-length": 9, "--min-length": 3,
        "--mirror": True, "--min-confidence": 0.2, "--every": 5.0, "--never": "dog",
        "--case": "sentence",
    }  # fmt: skip


def test_a_whole_video_is_one_window_without_end():
    chosen = choose("--whole")
    assert (chosen.describe["every"], chosen.settings["--every"]) == (math.inf, None)


def test_a_low_maximum_lowers_the_minimum_of_the_preset():
    assert choose("--max-length 3").describe["min_length"] == 3
    assert choose("--max-length 9").describe["min_length"] == 5


@pytest.mark.parametrize(
    ("arguments", "preset", "message"),
    [
        ("--whole --every 3", CAPTIONS, "--whole and --every at once"),
        ("--min-length 19", CAPTIONS, "--min-length 19 is above the maximum, 18 words"),
        ("--min-length 5 --max-length 4", CAPTIONS, "above the maximum, 4 words"),
        ("--gender-neutral", SUBWORDS, "mine writes subwords of any language"),
        ("--min-confidence 0.3", UNCALIBRATED, "mine is not calibrated"),
        ("--mirror --prefix a", LABELS, "mine labels whole clips: leave out --mirror, --prefix."),
    ],
)
def test_what_does_not_fit_is_refused(arguments, preset, message):
    with pytest.raises(click.UsageError, match=message):
        choose(arguments, preset)


def test_words_that_are_never_said_are_single_words():
    given = {"never": ("two words",), "prefix": "", "suffix": "", "case": "lower"}
    with pytest.raises(click.UsageError, match="give one word"):
        take_options({**given, "min_length": None, "gender_neutral": False}, CAPTIONS, "mine")


def test_labels_take_their_number_and_whole_videos():
    assert choose("-n 3 --whole", LABELS).describe["num_captions"] == 3
