"""What the README shows is what a user gets."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

README = Path("README.md").read_text(encoding="utf-8")
MODULES = {"caption": "captioner.cli", "captioner": "captioner.commands"}


def console_examples():
    """Each `$ command` of the console blocks with the output shown below it."""
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL):
        for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = example.partition("\n")
            if command.split()[0] in MODULES:
                yield command, output


@pytest.mark.parametrize(("command", "output"), list(console_examples()))
def test_commands_print_what_is_shown(command, output):
    name, *arguments = shlex.split(command)
    code = f"from {MODULES[name]} import main; main(prog_name={name!r})"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert without_digits(done.stdout) == without_digits(output)


def without_digits(text):
    """Log-probabilities differ a little from one processor to the next."""
    return re.sub(r"-?\d+\.\d+", "0.0", text)


def test_python_examples_run(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert blocks
    for block in blocks:
        subprocess.run([sys.executable, "-c", block], check=True)


def test_paths_that_are_named_exist():
    named = re.findall(r"(?:scripts|data/samples|captioner|tests)/[\w./-]*\w", README)
    assert named
    assert [path for path in named if not Path(path).exists()] == []
