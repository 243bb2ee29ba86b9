"""SIGKILL at random moments: nothing lost, doubled or half-written, and the same result at last."""

import random
import shutil
import signal
import tempfile
import time
from pathlib import Path

import click

from trials.kill_targets import KillTarget, kill_targets


def kill(target: KillTarget, folder: Path, kills: int, rng: random.Random) -> dict[str, int]:
    """Kill a command again and again, and let it finish after every few kills.

    Args:
        target: The command.
        folder: An empty one.
        kills: How often.
        rng: Where chance comes from.

    Returns:
        Counts of "kills", and of "rounds" whose result was that of an undisturbed run.

    Raises:
        AssertionError: If anything is not as it should be.
    """
    seconds = target.finish(folder / "undisturbed")
    expected = target.result(folder / "undisturbed")
    counts = {"kills": 0, "rounds": 0}
    while counts["kills"] < kills:
        out = folder / f"round_{counts['rounds']}"
        done = False
        for _ in range(min(rng.randint(2, 5), kills - counts["kills"])):
            process = target.start(out)
            time.sleep(rng.uniform(0.2, 1.0) * seconds)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                counts["kills"] += 1
            _, said = process.communicate()
            assert process.returncode in (0, -signal.SIGKILL), f"{target.name}: {said!r}"
            target.check(out)
            if done := process.returncode == 0:
                break
        if not done:
            target.finish(out)
        assert target.result(out) == expected, f"{target.name}: another result after kills"
        assert not list(out.rglob("*.part")) + list(out.rglob("*.old")), "a folder half made stays"
        counts["rounds"] += 1
        shutil.rmtree(out)
    return counts


@click.command()
@click.option("--kills", "number", default=54, show_default=True, help="Over all commands.")
@click.option(
    "--preset", default="vgg16_top_down", show_default=True, help="For those that describe."
)
@click.option("--only", multiple=True, help="Kill this command alone.")
@click.option("--seed", default=1, show_default=True)
def kills(number: int, preset: str, only: tuple[str, ...], seed: int) -> None:
    """Kill commands at random moments, and compare what they end with.

    They are prepare, train, teach, caption --out, caption --library and evaluate.
    """
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder, "data")
        work.mkdir()
        chosen = [t for t in kill_targets(work, preset) if not only or t.name in only]
        for target in chosen:
            out = Path(folder, target.name.replace(" ", "_"))
            out.mkdir()
            counts = kill(target, out, number // len(chosen), rng)
            rounds = f"{counts['rounds']} of {counts['rounds']} results as undisturbed"
            click.echo(f"{target.name}: {counts['kills']} kills, {rounds}")
