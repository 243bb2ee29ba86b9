"""What the README and the documentation show is what a user gets."""

import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

PAGES = [Path("README.md"), *sorted(Path("docs").rglob("*.md"))]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
MODULES = {"caption": "captioner.cli.caption", "captioner": "captioner.cli"}


def console_examples():
    """Each `$ command` of the console blocks with the output shown below it, once."""
    examples = {}
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL):
        for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = example.partition("\n")
            if command.split()[0] in MODULES:
                assert examples.setdefault(command, output) == output, command
    return examples.items()


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
    blocks = re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    assert blocks
    for block in dict.fromkeys(block.partition("#")[0] for block in blocks):
        subprocess.run([sys.executable, "-c", block], check=True)


def test_paths_that_are_named_exist():
    named = set(re.findall(r"(?:scripts|data/samples|captioner|tests)/[\w./-]*\w", TEXT))
    named -= {"captioner/models/mean_pool.py"}  # that of docs/how-to/add-a-decoder.md
    assert named
    assert [path for path in named if not Path(path).exists()] == []


def test_the_decoder_of_the_guide_works(tmp_path):
    guide = Path("docs/how-to/add-a-decoder.md").read_text(encoding="utf-8")
    block = textwrap.dedent(re.search(r"( *)```python\n(.*?)```", guide, re.DOTALL)[2])
    scope = {}
    exec(compile(block, "mean_pool.py", "exec"), scope)
    decoder = scope["MeanPool"](vocabulary_size=10, units=8, embedding_size=8)
    logits = decoder(np.ones((2, 1, 49, 512), "float32"), np.ones((2, 5, 7), "int32"))
    assert logits.shape == (2, 5, 7, 10)


def test_internal_links_lead_somewhere():
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page}: {link}"
