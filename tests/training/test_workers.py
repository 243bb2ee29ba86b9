"""Trainings in two processes on loopback: the losses of one, and a worker that is killed."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
import yaml
from click.testing import CliRunner
from PIL import Image
from toy_vgg16 import save_toy_vgg16

from captioner.cli import main
from captioner.cli.train import train
from captioner.errors import CaptionerError
from captioner.training.launcher import run_workers, worker_environment
from captioner.training.workers import Workers, join_workers

FILTERS = [4, 8, 8, 8, 16]


def test_shares_are_the_rows_of_a_batch_without_the_rest_of_a_division():
    batch = {"features": np.arange(7)}, np.arange(7)[:, None]
    taken = []
    for index in range(3):
        workers = Workers()
        workers.count, workers.index = 3, index
        inputs, targets = workers.share(batch)
        assert inputs["features"].tolist() == targets[:, 0].tolist()
        taken.append(inputs["features"].tolist())
    assert taken == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ('{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}}', "TF_CONFIG has a ps: give it only"),
        ("worker", "TF_CONFIG is no JSON object"),
    ],
)
def test_a_wrong_environment_is_named(monkeypatch, config, fault):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(CaptionerError, match=fault):
        join_workers.__wrapped__()


def test_workers_of_another_backend_are_refused(monkeypatch):
    monkeypatch.setenv("KERAS_DISTRIBUTION_NUM_PROCESSES", "2")
    with pytest.raises(CaptionerError, match="names several workers, but not for tensorflow"):
        join_workers.__wrapped__()


def test_the_environment_is_that_of_the_backend(monkeypatch):
    addresses = ["a:1", "b:2"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    told = worker_environment(1, addresses)
    assert told == {
        "KERAS_DISTRIBUTION_JOB_ADDRESSES": "a:1,b:2",
        "KERAS_DISTRIBUTION_NUM_PROCESSES": "2",
        "KERAS_DISTRIBUTION_PROCESS_ID": "1",
        "CUDA_VISIBLE_DEVICES": "7",
    }
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4")  # one for two: they share it
    told = worker_environment(0, addresses)
    assert json.loads(told.pop("TF_CONFIG"))["cluster"] == {"worker": addresses}
    assert told == {}


def test_workers_get_all_options_of_the_command(monkeypatch, tmp_path):
    config = tmp_path / "mine.yaml"
    stage = {"name": "only", "epochs": 1, "learning_rate": 0.1}
    paths = {"dataset": str(tmp_path), "features": "features", "run": "run"}
    config.write_text(yaml.safe_dump({**paths, "stages": [stage]}))
    ran = []
    monkeypatch.setattr(
        "captioner.training.launcher.run_workers",
        lambda command, count, report: ran.append((command, count)) or 5,
    )
    given = [str(config), "--set", "seed=2", "--set", "stages.0.ema=0.5", "--weights", "-w.h5"]
    given += ["--features", "has a blank", "--strict", "--run", str(tmp_path / "run")]
    done = CliRunner().invoke(main, ["train", *given, "--workers", "3", "--restart"])
    assert done.exit_code == 5, done.output  # that of the worker which failed
    ((command, count),) = ran
    assert (command[0], command[1:4], count) == (sys.executable, ["-m", "captioner", "train"], 3)
    expected = train.make_context("train", given).params
    assert train.make_context("train", command[4:]).params == expected


def test_all_workers_start_again_if_one_is_killed(tmp_path):
    """Each notes its start; worker 1 is killed once, while worker 0 would wait for it."""
    code = """
import json, os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
first = not list(folder.glob(f"{index}-*"))
(folder / f"{index}-{os.getpid()}").touch()
if first:
    while len(list(folder.iterdir())) < 2:
        time.sleep(0.01)
    if index == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(600)
"""
    said = []
    assert run_workers([sys.executable, "-c", code, str(tmp_path)], 2, said.append) == 0
    assert said == ["worker 1 was killed (signal 9): starting again"]
    assert sorted(path.name[0] for path in tmp_path.iterdir()) == ["0", "0", "1", "1"]


def test_an_error_is_not_tried_again_and_kills_end(tmp_path):
    said = []
    assert run_workers([sys.executable, "-c", "raise SystemExit(3)"], 2, said.append) == 3
    assert said == []
    killed = [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]
    with pytest.raises(CaptionerError, match="workers were killed 2 times"):
        run_workers(killed, 2, said.append, restarts=1)
    assert len(said) == 1


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Pictures with captions of two lengths, a toy VGG16, and a config of two short stages."""
    folder = tmp_path_factory.mktemp("workers")
    rng = np.random.default_rng(0)
    rows = ["image,caption,split"]
    for number in range(10):
        pixels = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        longer = " that is painted" if number % 2 else ""
        rows.append(f"{number}.png,a wall{longer},{'val' if number < 2 else 'train'}")
    (folder / "captions.csv").write_text("\n".join(rows) + "\n")
    save_toy_vgg16(folder / "vgg16.weights.h5", FILTERS, rng)
    stage = {"learning_rate": 0.005, "batch_size": 4, "warmup_steps": 2, "patience": 20}
    config = {
        "dataset": str(folder / "captions.csv"),
        "features": str(folder / "features"),
        "run": str(folder / "run"),
        "encoder": {"weights": str(folder / "vgg16.weights.h5"), "filters": FILTERS},
        # What is dropped is another number in each worker's share. The loss of this decoder has two
        # terms, and workers have unequal numbers of words.
        "decoder": {"name": "show_attend_and_tell", "units": 8, "embedding_size": 8,
                    "dropout": 0.0, "doubly_stochastic": 1.0},
        "min_count": 1,
        "max_length": 6,
        "captions_per_image": 1,
        "precision": "float32",
        "stages": [
            {**stage, "name": "frozen", "epochs": 3, "clip_norm": 0.1, "ema": 0.9},
            {**stage, "name": "finetune", "epochs": 1, "trainable_from": "block5",
             "encoder_learning_rate": 0.0001},
        ],
    }  # fmt: skip
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


def command(workspace, run, workers):
    arguments = ["train", str(workspace / "config.yaml"), "--run", str(workspace / run)]
    return [sys.executable, "-m", "captioner", *arguments, "--workers", str(workers)]


def losses(run):
    """What was learnt in each epoch, and what that did to the validation split."""
    found = []
    for stage in ("frozen", "finetune"):
        with (run / stage / "log.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        found += [float(row[name]) for row in rows for name in ("loss", "perplexity")]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_two_workers_have_the_losses_of_one(workspace, backend):
    pytest.importorskip(backend)
    environment = {**os.environ, "KERAS_BACKEND": backend}
    found = []
    for workers in (1, 2):
        run = f"{backend}-{workers}"
        done = subprocess.run(
            command(workspace, run, workers), env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("epoch 1: loss") == 2  # the chief's lines alone
        found.append(losses(workspace / run))
    assert len(found[0]) == 8
    assert len(set(found[0])) == 8  # it has learnt
    assert found[1] == pytest.approx(found[0], rel=1e-4)


@pytest.mark.slow
def test_a_killed_worker_costs_an_epoch_at_most(workspace):
    run = workspace / "killed"
    process = subprocess.Popen(
        command(workspace, "killed", 2), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    checkpoint = run / "frozen/checkpoint.safetensors"
    while not checkpoint.exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    workers = psutil.Process(process.pid).children()
    second = [w for w in workers if '"index": 1' in w.environ()["TF_CONFIG"]]
    os.kill(second[0].pid, signal.SIGKILL)
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert "starting again" in err
    assert out.splitlines()[-1].startswith("best preset: ")
    undisturbed = workspace / "undisturbed"
    done = subprocess.run(command(workspace, "undisturbed", 1), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert losses(run) == pytest.approx(losses(undisturbed), rel=1e-4)
