import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from captioner.cli import main as captioner
from captioner.cli.caption import main as caption


@pytest.fixture
def path(tmp_path, monkeypatch, fake_captioner):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAPTIONER_CONFIG", "settings/mine.toml")
    Image.new("RGB", (8, 8)).save("a.jpg")
    return Path("settings/mine.toml")


def config(*arguments):
    return CliRunner().invoke(captioner, ["config", *arguments])


def run(*arguments):
    return CliRunner().invoke(caption, list(arguments))


def test_defaults_hold_and_the_command_line_goes_before(path):
    assert run("a.jpg").stdout == "a dark picture\n"
    assert config("sidecar", "txt", "json").exit_code == 0
    assert config("--", "--format", "jsonl").exit_code == 0
    assert tomllib.loads(path.read_text()) == {
        "caption": {"sidecar": ["txt", "json"], "format": "jsonl"}
    }
    assert run("a.jpg").stdout.startswith('{"path": "a.jpg"')
    assert Path("a.txt").exists() and Path("a.json").exists()
    assert run("a.jpg", "--format", "text", "--overwrite").stdout == "a dark picture\n"


def test_numbers_flags_and_taking_back(path):
    for arguments in (("every", "2.5"), ("beam-width", "4"), ("recursive", "true")):
        assert config(*arguments).exit_code == 0
    found = tomllib.loads(path.read_text())["caption"]
    assert found == {"every": 2.5, "beam-width": 4, "recursive": True}
    assert config("every", "--unset").exit_code == 0
    assert "every" not in tomllib.loads(path.read_text())["caption"]


def test_comments_of_the_file_stay(path):
    path.parent.mkdir()
    path.write_text("# mine\n[caption]\nquiet = true  # always\n\n[later]\nx = 1\n")
    shown = config("case", "sentence")
    text = path.read_text()
    assert "# mine" in text and "quiet = true  # always" in text and "[later]" in text
    assert tomllib.loads(text)["caption"] == {"quiet": True, "case": "sentence"}
    assert shown.stdout.startswith("# settings/mine.toml\n# mine\n")


def test_without_a_file(path, monkeypatch):
    assert config().stdout == "# settings/mine.toml, which holds no defaults\n"
    monkeypatch.setenv("CAPTIONER_CONFIG", "")
    assert "no file holds defaults" in config().stderr
    monkeypatch.delenv("CAPTIONER_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(path.parent.absolute()))
    assert "captioner.toml, which holds no defaults" in config().stdout
    assert not path.parent.exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[caption", "cannot read settings/mine.toml"),
        ("[caption]\nbeam_width = 3", "there is no option 'beam_width'; there are"),
        ("[caption]\nout = 'x.csv'", "there is no option 'out'"),
        ("[caption]\nbeam-width = 0", "beam-width = 0: 0 is not in the range"),
        ("[caption]\nsidecar = 'doc'", "sidecar = 'doc'"),
        ("[caption]\nsidecar = ['doc']", "'doc' is not one of"),
    ],
)
def test_a_wrong_file_is_named(path, text, reason):
    path.parent.mkdir()
    path.write_text(text)
    for result in (run("a.jpg"), config(), config("quiet", "true")):
        assert result.exit_code == 1
        assert "settings/mine.toml" in result.stderr and reason in result.stderr
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("overwrite", "true"), "no option 'overwrite' with a default"),
        (("case", "title"), "case: 'title' is not one of"),
        (("case", "lower", "sentence"), "case takes one value, not 2"),
        (("case",), "Give OPTION and its value"),
        (("case", "lower", "--unset"), "Give OPTION and its value"),
    ],
)
def test_what_is_no_default_is_refused(path, arguments, reason):
    result = config(*arguments)
    assert result.exit_code in (1, 2)
    assert reason in result.stderr
    assert not path.exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_both_commands(shell):
    code = "import sys; from captioner.cli import main; main(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, "completion", shell],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "_CAPTION_COMPLETE" in done.stdout and "_CAPTIONER_COMPLETE" in done.stdout


def test_options_are_completed():
    environment = {"_CAPTION_COMPLETE": "bash_complete", "COMP_WORDS": "caption --side"}
    code = "from captioner.cli.caption import main; main(prog_name='caption')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "COMP_CWORD": "1", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert "plain,--sidecar\n" in done.stdout
