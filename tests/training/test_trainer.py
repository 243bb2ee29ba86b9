import csv
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from PIL import Image
from toy_vgg16 import save_toy_vgg16

from captioner.captioner import Captioner
from captioner.cli import main
from captioner.errors import CaptionerError
from captioner.presets.storage import read_preset, write_preset
from captioner.training.config import parse_config, read_config
from captioner.training.epoch_samples import read_samples
from captioner.training.learning_curve import read_curves
from captioner.training.trainer import Trainer

pytestmark = pytest.mark.slow

FILTERS = [8, 16, 32, 64, 64]  # a toy VGG16
COLOURS = {"red": (220, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 220)}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Pictures of one colour each, features of a random VGG16, a config of three short stages."""
    folder = tmp_path_factory.mktemp("training")
    rng = np.random.default_rng(0)
    rows = ["image,caption,split"]
    for number in range(15):
        colour = list(COLOURS)[number % 3]
        pixels = np.array(COLOURS[colour]) + rng.integers(-20, 20, (8, 8, 3))
        name = f"{number:02d}.png"
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name)
        split = "val" if number < 3 else "train"
        rows.append(f"{name},a {colour} wall,{split}")
    (folder / "captions.csv").write_text("\n".join(rows) + "\n")
    save_toy_vgg16(folder / "vgg16.weights.h5", FILTERS, rng)
    config = {
        "dataset": str(folder / "captions.csv"),
        "features": str(folder / "features"),
        "run": str(folder / "run"),
        "encoder": {"weights": str(folder / "vgg16.weights.h5"), "filters": FILTERS},
        "decoder": {"name": "top_down", "units": 128, "embedding_size": 512, "dropout": 0.1},
        "min_count": 1,
        "max_length": 5,
        "captions_per_image": 1,
        "precision": "float32",
        "views": 2,
        "stages": [
            {"name": "frozen", "epochs": 20, "learning_rate": 0.005, "batch_size": 3,
             "patience": 20, "warmup_steps": 5, "label_smoothing": 0.0},
            {"name": "finetune", "epochs": 2, "learning_rate": 0.001, "batch_size": 6,
             "trainable_from": "block5", "encoder_learning_rate": 0.0001, "flip": True,
             "crop": 0.8},
            {"name": "self_critical", "epochs": 2, "learning_rate": 0.001, "batch_size": 3,
             "objective": "self_critical", "samples": 3, "bleu_weight": 0.5, "ema": 0.9,
             "label_smoothing": 0, "frames": 2},
        ],
    }  # fmt: skip
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


@pytest.fixture(scope="module")
def undisturbed(workspace):
    lines = []
    Trainer(read_config(workspace / "config.yaml"), report=lines.append).train()
    return workspace / "run", lines


def test_learns_to_name_what_it_sees(workspace, undisturbed):
    captioner = Captioner.from_preset(undisturbed[0] / "frozen/best", precision="float32")
    captions = captioner.generate([str(workspace / f"0{number}.png") for number in range(3)])
    assert [c.text for c in captions] == ["a red wall", "a green wall", "a blue wall"]


def test_error_reaches_the_encoder_from_the_named_block_up(undisturbed):
    before = Captioner.from_preset(undisturbed[0] / "frozen/best").preset.weights
    after = Captioner.from_preset(undisturbed[0] / "finetune/best").preset.weights
    moved = {name.split("/")[1] for name in before if not np.array_equal(before[name], after[name])}
    blocks = {name for name in moved if name.startswith("block")}
    assert blocks == {"block5_conv1", "block5_conv2", "block5_conv3"}
    assert "attention_lstm" in moved


def test_log_has_a_row_for_each_epoch(undisturbed):
    rows = read_log(undisturbed[0] / "frozen")
    assert [row["epoch"] for row in rows] == [str(n) for n in range(1, 21)]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert max(float(row["CIDEr"]) for row in rows) > 1
    assert any(line.startswith("self_critical epoch 2: loss ") for line in undisturbed[1])


def test_sample_captions_are_kept_and_told_epoch_by_epoch(workspace, undisturbed):
    run, lines = undisturbed
    assert lines[2] == "stage 1 of 3: frozen" and "stage 3 of 3: self_critical" in lines
    curves = read_curves(run)
    assert [(c.name, len(c.rows), c.planned) for c in curves] == [
        ("frozen", 20, 20), ("finetune", 2, 2), ("self_critical", 2, 2)
    ]  # fmt: skip
    frozen = curves[0]
    paths = [str(workspace / f"0{number}.png") for number in range(3)]
    assert [s.path for s in frozen.samples] == paths * 20
    assert [s.epoch for s in frozen.samples] == [n for n in range(1, 21) for _ in paths]
    # Those of the best epoch are what its preset says.
    best = [s.caption for s in frozen.samples if s.epoch == frozen.best]
    assert best == ["a red wall", "a green wall", "a blue wall"]
    assert [s.people for s in frozen.samples[:3]] == best
    place = next(n for n, line in enumerate(lines) if line.startswith("frozen epoch 20: loss "))
    last = [s.caption for s in frozen.samples[-3:]]
    assert lines[place + 1 : place + 4] == [
        f"frozen   0{n}.png: {caption}" for n, caption in enumerate(last)
    ]
    assert "left in this stage at most" in lines[3] and "left" not in lines[place]


def test_validation_perplexity_falls(undisturbed):
    rows = read_log(undisturbed[0] / "frozen")
    assert all(float(row["perplexity"]) > 1 for row in rows)
    assert float(rows[-1]["perplexity"]) < float(rows[0]["perplexity"])
    assert "perplexity" not in read_log(undisturbed[0] / "self_critical")[0]


def test_lines_tell_what_is_learnt_from_and_what_came_of_it(undisturbed):
    lines = undisturbed[1]
    assert lines[:2] == ["train 12, val 3, test 0 images", "5 words are learned, none is too rare"]
    (first,) = [line for line in lines if line.startswith("frozen epoch 1: loss")]
    assert ", val perplexity " in first


def test_sigkill_and_restart_give_the_same_model(workspace, undisturbed):
    run = workspace / "killed"
    command = [sys.executable, "-m", "captioner", "train", str(workspace / "config.yaml")]
    command += ["--run", str(run)]
    for stage in ("frozen", "finetune", "self_critical"):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 240
        while not (run / stage / "checkpoint.safetensors").exists():
            assert process.poll() is None, process.stderr.read().decode()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    best = {
        stage: max(float(row["CIDEr"]) for row in read_log(run / stage))
        for stage in ("self_critical", "finetune", "frozen")  # of equal ones the later
    }
    named = run / max(best, key=best.get) / "best"
    assert done.stdout.splitlines()[-1] == f"best preset: {named}"

    for stage in ("frozen", "finetune", "self_critical"):
        logs = [read_log(folder / stage) for folder in (run, undisturbed[0])]
        assert [drop_times(row) for row in logs[0]] == [drop_times(row) for row in logs[1]]
        sums = [
            (folder / stage / "best/SHA256SUMS").read_text() for folder in (run, undisturbed[0])
        ]
        assert sums[0] == sums[1]
        assert read_samples(run / stage) == read_samples(undisturbed[0] / stage)


def test_a_run_is_not_continued_with_another_seed(workspace, undisturbed):
    changed = replace(read_config(workspace / "config.yaml"), seed=2)
    with pytest.raises(CaptionerError, match="was started with seed 1, and now it is 2"):
        Trainer(changed, report=print).train()


def test_self_critical_training_changes_the_decoder_alone(undisturbed):
    before, after = (
        Captioner.from_preset(undisturbed[0] / stage / "best").preset.weights
        for stage in ("finetune", "self_critical")
    )
    moved = {name.split("/")[0] for name in before if not np.array_equal(before[name], after[name])}
    assert moved == {"decoder"}


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_train_alike(workspace, undisturbed, backend):
    pytest.importorskip(backend, reason="jax is in the dev extra, torch in peers")
    config = yaml.safe_load((workspace / "config.yaml").read_text())
    _, finetune, self_critical = ({**stage, "epochs": 1} for stage in config["stages"])
    config |= {"start": str(undisturbed[0] / "frozen/best"), "views": 0}
    config["decoder"]["dropout"] = 0.0  # what is dropped is drawn otherwise on each backend
    here, there = workspace / "tensorflow", workspace / backend
    path = workspace / f"{backend}.yaml"
    config |= {"run": str(here), "stages": [{**finetune, "ema": 0.9}]}
    Trainer(parse_config(config, "here")).train()
    config |= {
        "run": str(there),
        "stages": [*config["stages"], {**self_critical, "frames": 1, "sharpen": 0.3}],
    }
    path.write_text(yaml.safe_dump(config))
    subprocess.run(
        [sys.executable, "-m", "captioner", "train", str(path)],
        env={**os.environ, "KERAS_BACKEND": backend},
        check=True,
        capture_output=True,
    )

    losses = [float(read_log(run / "finetune")[0]["loss"]) for run in (here, there)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    before, tuned, alike = (
        read_preset(folder).weights
        for folder in (
            undisturbed[0] / "frozen/best", here / "finetune/best", there / "finetune/best"
        )
    )  # fmt: skip
    for name in before:
        step, other = tuned[name] - before[name], alike[name] - before[name]
        assert np.linalg.norm(other - step) <= 0.02 * np.linalg.norm(step), name  # float16
    written = read_preset(there / "self_critical/best").weights
    moved = {
        name.split("/")[0] for name in written if not np.array_equal(written[name], alike[name])
    }
    assert moved == {"decoder"}


def test_words_of_another_data_set_cannot_be_gone_on_with(workspace, undisturbed):
    config = yaml.safe_load((workspace / "config.yaml").read_text())
    config |= {"start": str(undisturbed[0] / "frozen/best"), "min_count": 5}
    config["run"] = str(workspace / "other")
    (workspace / "other.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(CaptionerError, match=r"its vocabulary is not that of.*`captioner teach`"):
        Trainer(read_config(workspace / "other.yaml")).train()


def test_a_fresh_decoder_on_the_encoder_of_a_preset(workspace, undisturbed):
    config = yaml.safe_load((workspace / "config.yaml").read_text())
    config["encoder"] = {"preset": str(undisturbed[0] / "finetune/best")}
    config["features"] = str(undisturbed[0] / "finetune/features")
    config["decoder"] = {"name": "show_and_tell", "units": 16, "embedding_size": 16}
    config["run"] = str(workspace / "fresh")
    config["stages"] = [{**config["stages"][0], "epochs": 1}]
    (workspace / "fresh.yaml").write_text(yaml.safe_dump(config))
    best = Trainer(read_config(workspace / "fresh.yaml")).train()
    taken, fresh = (
        Captioner.from_preset(folder).preset.weights
        for folder in (undisturbed[0] / "finetune/best", best)
    )
    encoder = [name for name in fresh if name.startswith("encoder/")]
    assert len(encoder) == 26
    assert all(np.array_equal(taken[name], fresh[name]) for name in encoder)


def test_a_pupil_learns_from_its_teacher_what_the_captions_deny(workspace, undisturbed):
    preset = read_preset(undisturbed[0] / "finetune/best")
    red, green = preset.vocabulary.encode(["red", "green"])
    for name in ("decoder/word_logits/kernel", "decoder/word_logits/bias"):
        weight = preset.weights[name]
        weight[..., [red, green]] = weight[..., [green, red]]
    write_preset(workspace / "deceived", preset)
    Trainer(taught(workspace, undisturbed, workspace / "deceived")).train()
    best, last = (
        float(read_log(folder / "frozen")[-1]["CIDEr"])
        for folder in (undisturbed[0], workspace / "taught_by_deceived")
    )
    assert last == pytest.approx(best / 3)  # of three walls, the blue one alone is named


def test_a_recipe_that_builds_on_another_follows_it_in_one_command(workspace, undisturbed):
    first = yaml.safe_load((workspace / "config.yaml").read_text())
    first |= {"run": str(workspace / "first"), "views": 0}
    first["stages"] = [{**first["stages"][0], "epochs": 1}]
    second = {**first, "run": str(workspace / "second"), "start": f"{first['run']}/frozen/best"}
    for name, config in (("first", first), ("second", second)):
        (workspace / f"{name}.yaml").write_text(yaml.safe_dump(config))
    names = [str(workspace / f"{name}.yaml") for name in ("first", "second")]
    done = CliRunner().invoke(main, ["train", *names])
    assert done.exit_code == 0, done.output
    presets = [line for line in done.output.splitlines() if line.startswith("best preset: ")]
    assert presets == [
        f"best preset: {workspace / name}/frozen/best" for name in ("first", "second")
    ]
    losses = [
        float(read_log(workspace / name / "frozen")[0]["loss"]) for name in ("first", "second")
    ]
    assert losses[1] < losses[0]


def test_a_teacher_must_know_the_words_of_its_pupil(workspace, undisturbed):
    config = taught(
        workspace,
        undisturbed,
        undisturbed[0] / "finetune/best",
        min_count=5,
        features=str(workspace / "never"),
    )
    with pytest.raises(CaptionerError, match="cannot teach here: its vocabulary is not that"):
        Trainer(config)
    assert not (workspace / "never").exists()  # nothing is computed before


def test_a_teacher_must_have_the_encoder_of_its_pupil(workspace, undisturbed):
    config = taught(
        workspace,
        undisturbed,
        undisturbed[0] / "frozen/best",
        features=str(workspace / "never"),
    )
    with pytest.raises(CaptionerError, match="cannot teach here: its VGG16 is not the one"):
        Trainer(config).train()
    assert not (workspace / "never").exists()


def test_stored_features_cannot_be_flipped(workspace):
    config = yaml.safe_load((workspace / "config.yaml").read_text())
    config["stages"][0]["flip"] = True
    (workspace / "flip.yaml").write_text(yaml.safe_dump({**config, "run": str(workspace / "no")}))
    with pytest.raises(CaptionerError, match="flip and crop need images"):
        Trainer(read_config(workspace / "flip.yaml")).train()


def taught(workspace, undisturbed, teacher, **changes):
    """A training on the features of the fine-tuned encoder, that learns from a teacher alone."""
    config = yaml.safe_load((workspace / "config.yaml").read_text())
    stage = {**config["stages"][0], "teachers": [str(teacher)], "distillation": 1}
    config |= {
        "features": str(undisturbed[0] / "finetune/features"),
        "encoder": {"preset": str(undisturbed[0] / "finetune/best")},
        "run": str(workspace / f"taught_by_{teacher.name}"),
        "views": 0,
        "stages": [stage],
        **changes,
    }
    return parse_config(config, "taught")


def read_log(folder):
    with (folder / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def drop_times(row):
    return {key: value for key, value in row.items() if not key.endswith("seconds")}
