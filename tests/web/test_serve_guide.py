"""What docs/how-to/serve.md shows is what its commands and its client print."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "how-to" / "serve.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture
def folder(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("cat.jpg", "dog.jpg", "shepherd_and_cat.mp4"):
        shutil.copy(ROOT / "data" / "samples" / name, photos)
    (tmp_path / "nothing.txt").touch()
    run(
        "captioner.cli.caption",
        "photos/dog.jpg",
        "photos/cat.jpg",
        "--library",
        "photos.db",
        cwd=tmp_path,
    )
    return tmp_path


@pytest.fixture
def address(folder):
    """Of a server as the guide starts it, but for its port."""
    code = "from captioner.cli import main; main(prog_name='captioner')"
    options = ["serve", "--library", "photos.db", "--port", "0"]
    with subprocess.Popen(
        [sys.executable, "-c", code, *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        line = server.stderr.readline()
        found = re.fullmatch(
            r"vgg16_top_down is at (http://127\.0\.0\.1:\d+) \(Ctrl-C .*\)\n", line
        )
        assert found, line
        yield found[1]
        server.send_signal(signal.SIGINT)
        assert server.stderr.read() == "Ended.\n"
    assert server.returncode == 0


def run(module, *arguments, cwd):
    code = f"from {module} import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code, *arguments], cwd=cwd, env=environment, check=True)


@pytest.mark.skipif(not all(map(shutil.which, ("curl", "file"))), reason="needs curl and file")
def test_the_guide_shows_what_is_printed(folder, address):
    ran = 0
    for block in re.findall(r"```shell-session\n(.*?)```", GUIDE, re.DOTALL):
        for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = example.partition("\n")
            done = subprocess.run(
                ["bash", "-c", command.replace(ADDRESS, address)],
                cwd=folder,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            printed = f"{done.stdout.rstrip()}\n"  # JSON ends without an end of line
            assert without_digits(printed) == without_digits(f"{output.rstrip()}\n"), command
            ran += 1
    assert ran >= 6
    (client,) = re.findall(r"```py\n(.*?)```", GUIDE, re.DOTALL)
    (shown,) = re.findall(r"prints\n\n```text\n(.*?)```", GUIDE, re.DOTALL)
    code = client.replace(ADDRESS, address)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, stdout=subprocess.PIPE, text=True, check=True
    )
    assert without_digits(done.stdout) == without_digits(shown)


def without_digits(text):
    """Log-probabilities and checksums differ."""
    return re.sub(r"-?\d+\.\d+|\b([0-9a-f]{8}){1,2}\b", "0", text)
