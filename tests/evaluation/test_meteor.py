import os
import stat
import sys
from pathlib import Path

import pytest

from captioner.errors import CaptionerError
from captioner.evaluation.evaluation import evaluate_captions
from captioner.evaluation.meteor import Meteor

CAPTIONS = {"1": "a dog runs on grass", "2": "two men in the snow"}
REFERENCES = {"1": ["a dog runs on the grass"], "2": ["two men stand in the snow", "men outside"]}
OTHERS = {"BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "CIDEr"}

needs_posix = pytest.mark.skipif(os.name != "posix", reason="the stubs are shell scripts")


def install(folder, monkeypatch, script):
    """Put a program named java first on the path."""
    folder.mkdir(exist_ok=True)
    java = folder / "java"
    java.write_text(script)
    java.chmod(java.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def evaluate(timeout=120.0):
    return evaluate_captions(
        CAPTIONS, REFERENCES, tokenization="none", resamples=20, meteor=Meteor(timeout)
    )


@needs_posix
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (  # macOS without a Java runtime
            "#!/bin/sh\necho 'The operation couldn’t be completed. Unable to locate a Java "
            "Runtime.' >&2\nexit 1\n",
            "Unable to locate a Java Runtime",
        ),
        (
            "#!/bin/sh\necho 'Error occurred during initialization of VM'\nexit 1\n",
            "Error occurred during initialization of VM",
        ),
        ("#!/bin/sh\nwhile read line; do echo 1,0 2,0; done\n", "1,0 2,0"),
        ("#!/bin/sh\nwhile read line; do echo 1.0 2.0; done\n", "1.0 2.0"),
        ("#!/bin/sh\nexit 0\n", "METEOR's Java failed: check"),
        ("#!/nonexistent/shell\n", "No such file or directory"),
    ],
)
def test_a_java_that_does_not_work_costs_meteor_alone(tmp_path, monkeypatch, script, reason):
    install(tmp_path / "bin", monkeypatch, script)
    evaluation = evaluate()
    assert evaluation.metrics.keys() == evaluation.intervals.keys() == OTHERS
    (note,) = (note for note in evaluation.notes if note.startswith("METEOR was left out"))
    assert reason in note


@needs_posix
def test_a_java_that_hangs_is_ended_with_what_it_started(tmp_path, monkeypatch):
    pids = tmp_path / "pids"
    install(
        tmp_path / "bin",
        monkeypatch,
        f"#!/bin/sh\nsleep 1000 &\necho $! >> {pids}\necho $$ >> {pids}\nwait\n",
    )
    evaluation = evaluate(timeout=1.0)
    assert evaluation.metrics.keys() == OTHERS
    assert any("no answer in 1 seconds" in note for note in evaluation.notes)
    for pid in map(int, pids.read_text().split()):
        assert not _runs(pid)


def _runs(pid):
    try:
        status = Path(f"/proc/{pid}/stat").read_text() if sys.platform == "linux" else ""
        os.kill(pid, 0)
    except (ProcessLookupError, FileNotFoundError):
        return False
    return ") Z " not in status  # a zombie that nobody has waited for has ended


@needs_posix
def test_a_java_that_dies_in_the_middle_costs_meteor_alone(tmp_path, monkeypatch):
    answer = " ".join(["1.0"] * 23)
    install(tmp_path / "bin", monkeypatch, f"#!/bin/sh\nread line\necho {answer}\nexit 1\n")
    assert evaluate().metrics.keys() == OTHERS


@pytest.mark.slow
@pytest.mark.parametrize("variable", ["JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS"])
def test_numbers_have_points_in_any_language(meteor, monkeypatch, variable):
    expected = meteor.statistics(list(CAPTIONS.values()), list(REFERENCES.values()))
    monkeypatch.setenv(variable, "-Duser.language=it -Duser.country=IT -Duser.language.format=it")
    italian = Meteor()
    found = italian.statistics(list(CAPTIONS.values()), list(REFERENCES.values()))
    assert (found == expected).all()
    assert italian.scores(found) == pytest.approx(meteor.scores(expected))


def test_too_little_memory_costs_meteor_alone(meteor, monkeypatch):
    from captioner.evaluation import meteor as meteor_program

    monkeypatch.setattr(meteor_program, "_OPTIONS", ("-Xmx9999999G",))
    evaluation = evaluate()
    assert evaluation.metrics.keys() == OTHERS
    assert any("memory" in note for note in evaluation.notes)


def test_bars_and_line_ends_in_captions_are_no_commands(meteor):
    plain = meteor.statistics(["a dog runs"], [["a dog", "one dog runs"]])
    odd = meteor.statistics(["a dog\nruns"], [["a ||| dog", "one\r\ndog runs"]])
    assert (plain == odd).all()


def test_meteor_that_was_asked_for_and_fails_is_an_error(tmp_path, monkeypatch):
    from click.testing import CliRunner

    from captioner.cli.evaluate import evaluate as command

    install(tmp_path / "bin", monkeypatch, "#!/bin/sh\nexit 1\n")
    (tmp_path / "results.json").write_text('[{"image_id": "1", "caption": "a dog"}]')
    (tmp_path / "references.csv").write_text("image,caption\n1,a dog runs\n")
    arguments = [str(tmp_path / "results.json"), "--references", str(tmp_path / "references.csv")]
    done = CliRunner().invoke(command, [*arguments, "--resamples", "9", "--meteor"])
    assert done.exit_code == 1
    assert "| ROUGE-L" in done.stdout and "METEOR was left out: METEOR's Java failed" in done.stdout
    assert "METEOR was requested but not computed" in done.stderr
    done = CliRunner().invoke(command, [*arguments, "--resamples", "9"])
    assert done.exit_code == 0, done.output


def test_without_java_there_is_no_meteor(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CaptionerError, match="METEOR needs Java"):
        Meteor()
