"""Fuzzing, guided by coverage where atheris is installed, and by chance alone where it is not."""

import random
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import click

from trials.fuzz_targets import FUZZ_TARGETS, FuzzTarget, run_once

_LARGEST = 2**16  # bytes of an input


def fuzz_by_chance(
    target: FuzzTarget, seconds: float, folder: Path, seed: int = 1
) -> tuple[int, int]:
    """Change well-formed inputs at random for some time.

    Args:
        target: What reads them.
        seconds: How long.
        folder: An empty one.
        seed: Of the random numbers.

    Returns:
        How many inputs were read, and how many of them were refused.

    Raises:
        Exception: What is a finding; the input is in the file `finding` of the folder.
    """
    rng = random.Random(seed)
    seeds = target.seeds()
    end = time.monotonic() + seconds
    inputs = refused = 0
    work = folder / "work"
    work.mkdir()
    for data in seeds:
        run_once(target, data, work)
    while time.monotonic() < end:
        data = _mutate(rng.choice(seeds), rng)
        (folder / "finding").write_bytes(data)
        refused += run_once(target, data, work)
        inputs += 1
    return inputs, refused


def _mutate(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 4, 16])):
        if not changed:
            break
        place = rng.randrange(len(changed))
        match rng.randrange(6):
            case 0:
                changed[place] ^= 1 << rng.randrange(8)
            case 1:
                changed[place] = rng.choice(b'\0\xff\x7f\x80{}[]",:0-9eE\n\r\t \\')
            case 2:
                del changed[place : place + rng.choice([1, 2, 8, 64, 4096])]
            case 3:
                changed[place:place] = rng.randbytes(rng.choice([1, 4, 32]))
            case 4:
                changed[place : place + 4] = rng.choice(
                    [b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"]
                )
            case _:
                part = changed[place : place + rng.choice([4, 16, 256])]
                changed[place:place] = part * rng.choice([1, 2, 20])
    return bytes(changed[:_LARGEST])


def _guided(name: str, seconds: int, folder: Path) -> None:
    """Fuzz with atheris, which ends the process."""
    import atheris

    target = FUZZ_TARGETS[name]
    with atheris.instrument_imports(include=["captioner", "PIL", "safetensors"]):
        target.read(target.seeds()[0], folder)
    seeds = folder / "seeds"
    seeds.mkdir()
    for number, data in enumerate(target.seeds()):
        (seeds / str(number)).write_bytes(data)
    work = folder / "work"
    work.mkdir()

    def once(data: bytes) -> None:
        run_once(target, data, work)

    options = [f"-max_total_time={seconds}", f"-max_len={_LARGEST}", "-rss_limit_mb=4096",
               "-timeout=60", f"-artifact_prefix={folder}/", "-print_final_stats=1"]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(seeds)], once)
    atheris.Fuzz()


@click.command()
@click.option("--seconds", default=60, show_default=True, help="For each reader.")
@click.option("--only", type=click.Choice(list(FUZZ_TARGETS)), help="One reader alone.")
@click.option("--guided-in", hidden=True, type=click.Path(path_type=Path))
def fuzz(seconds: int, only: str | None, guided_in: Path | None) -> None:
    """Fuzz the readers of images, videos, data sets, references, reports and presets."""
    if guided_in is not None:
        _guided(str(only), seconds, guided_in)
        return
    failed = False
    for name in [only] if only else FUZZ_TARGETS:
        with tempfile.TemporaryDirectory() as folder:
            if find_spec("atheris") is None:
                inputs, refused = fuzz_by_chance(FUZZ_TARGETS[name], seconds, Path(folder))
                click.echo(f"{name}: {inputs} inputs by chance, {refused} refused, 0 findings")
                continue
            command = [sys.executable, sys.argv[0], "fuzz", "--only", name, "--seconds"]
            command += [str(seconds), "--guided-in", folder]
            done = subprocess.run(command, capture_output=True, text=True)
            runs = [line for line in done.stderr.splitlines() if "number_of_executed_units" in line]
            count = runs[-1].split()[-1] if runs else "no"
            findings = [p for p in Path(folder).iterdir() if p.is_file() and "-" in p.name]
            findings = [p for p in findings if p.name.split("-")[0] in ("crash", "oom", "timeout")]
            click.echo(f"{name}: {count} inputs guided by coverage, {len(findings)} findings")
            if done.returncode or findings:
                failed = True
                click.echo(done.stderr[-3000:], err=True)
                for path in findings:
                    kept = Path(f"finding-{name}-{path.name}")
                    kept.write_bytes(path.read_bytes())
                    click.echo(f"kept as {kept}", err=True)
    sys.exit(1 if failed else 0)
