"""Every bad input to `caption`: a caption or a clear error each, and nothing else."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from trials.bad_clips import clip_cases
from trials.bad_images import CAPTION, EITHER, ERROR, image_cases, odd_names, picture


def write_corpus(folder: Path) -> dict[str, str]:
    """Write all files of the corpus.

    Returns:
        What is to come of each path: "caption", "error" or "either".
    """
    expected = {}
    for kind, cases in (("images", image_cases()), ("clips", clip_cases())):
        (folder / kind).mkdir(parents=True)
        for name, content, outcome in cases:
            path = folder / kind / name
            path.write_bytes(content)
            expected[str(path)] = outcome
    expected.update(_odd_files(folder / "files"))
    return expected


def _odd_files(folder: Path) -> Iterator[tuple[str, str]]:
    """Return what a path may be besides a file, and how it may be called."""
    folder.mkdir()
    for name in odd_names():
        path = folder / name
        picture().save(path, "JPEG")
        # A dash would be an option of any program, without the folder before it.
        yield str(path), CAPTION
    (folder / "folder.jpg").mkdir()  # without any images
    yield str(folder / "folder.jpg"), ERROR
    yield str(folder / "missing.jpg"), ERROR
    yield str(folder / "missing" / "deeper.jpg"), ERROR
    if os.name != "posix":
        return
    picture().save(os.fsencode(folder) + b"/\xff\xfe.jpg", "JPEG")
    yield os.fsdecode(os.fsencode(folder) + b"/\xff\xfe.jpg"), CAPTION
    (folder / "folder.jpg" / "target").write_bytes((folder / "no suffix").read_bytes())
    (folder / "link.jpg").symlink_to("folder.jpg/target")
    yield str(folder / "link.jpg"), CAPTION
    (folder / "loop.jpg").symlink_to("loop.jpg")
    yield str(folder / "loop.jpg"), ERROR
    (folder / "nowhere.jpg").symlink_to("nothing")
    yield str(folder / "nowhere.jpg"), ERROR
    os.mkfifo(folder / "pipe.jpg")
    yield str(folder / "pipe.jpg"), ERROR
    picture().save(folder / "unreadable.jpg", "JPEG")
    (folder / "unreadable.jpg").chmod(0)
    yield str(folder / "unreadable.jpg"), CAPTION if os.geteuid() == 0 else ERROR
    yield "/dev/zero", ERROR
    yield "/dev/null", ERROR


def try_corpus(expected: dict[str, str], options: Sequence[str] = ()) -> tuple[Counter, list[str]]:
    """Caption a corpus in one process.

    Args:
        expected: As `write_corpus` gives it.
        options: Further ones of `caption`.

    Returns:
        Counts of "inputs", "captions", "errors" and "else"; and what is wrong, in sentences.
    """
    command = [
        sys.executable,
        "-c",
        "from captioner.cli.caption import main; main(prog_name='caption')",
    ]
    done = subprocess.run(
        [*command, "--jsonl", "--quiet", "--whole", *options, "--", *expected],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        cwd="/" if os.name == "posix" else None,
    )
    rows: dict[str, list[dict]] = {}
    wrong = []
    for line in done.stdout.splitlines():
        row = json.loads(line)
        rows.setdefault(row["path"], []).append(row)
    counts = Counter(inputs=len(expected), captions=0, errors=0)
    counts["else"] = 0
    for path, outcome in expected.items():
        name = path if path in rows else path.encode("utf-8", "replace").decode()
        found = rows.pop(name, rows.pop(_escaped(path), []))
        texts = [part.get("caption") for row in found for part in row.get("segments", [row])]
        errors = [row["error"] for row in found if "error" in row]
        clear = all(": " in error and "rror:" not in error for error in errors)
        came = CAPTION if any(texts) else ERROR
        if len(found) != 1 or not clear or outcome not in (came, EITHER):
            counts["else"] += 1
            wrong.append(f"{path!r}: {outcome} is due, and it gave {found}")
        else:
            counts["captions" if came == CAPTION else "errors"] += 1
    wrong += [f"a row of {path!r}, which is no input" for path in rows]
    said = done.stderr.decode(errors="replace").strip()
    if said or done.returncode != 1:
        counts["else"] += 1
        wrong.append(f"exit code {done.returncode}, standard error: {said[-2000:]!r}")
    return counts, wrong


def _escaped(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@click.command()
@click.option("--preset", help="Name or folder of the model; by default the bundled one.")
def corpus(preset: str | None) -> None:
    """Caption the corpus of bad input, and count captions, clear errors and anything else."""
    with tempfile.TemporaryDirectory() as folder:
        expected = write_corpus(Path(folder))
        counts, wrong = try_corpus(expected, ["--preset", preset] if preset else [])
    for line in wrong:
        click.echo(line, err=True)
    click.echo(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    sys.exit(1 if wrong else 0)
