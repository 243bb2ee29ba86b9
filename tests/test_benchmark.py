import csv
import json
import math
import mmap
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import keras
import pytest
from click.testing import CliRunner

from captioner.captioner import Captioner
from captioner.evaluation.scores import score_captions
from captioner.models.vgg16 import VGG16Encoder

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "data" / "samples"


@pytest.fixture
def run(monkeypatch, tiny_preset):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    import benchmark

    def run(*arguments):
        arguments = [*map(str, arguments), "--preset", str(tiny_preset)]
        return CliRunner().invoke(benchmark.main, arguments)

    return run


def check_machine(facts):
    assert facts["cores"] >= 1
    assert isinstance(facts["amx_bf16"], bool)
    assert all(facts[name] for name in ("cpu", "python", "captioner", "keras", "tensorflow"))


def test_a_process_is_measured_alone(run):
    from benchmarks.process import cost_of, peak_mb, reset_peak

    reset_peak()
    before = peak_mb()
    # Linux would count it to a child of this process. TensorFlow tells malloc to keep what is
    # freed; a mapping of one's own goes when it is closed.
    held = mmap.mmap(-1, 300_000_000)
    for _ in range(300):
        held.write(b"x" * 1_000_000)
    assert 295 < peak_mb() - before < 310
    code = "import time; held = bytearray(b'x') * 100_000_000; time.sleep(0.2)"
    cost = cost_of([sys.executable, "-c", code])
    assert 100 < cost.peak_mb < 150
    assert cost.seconds > 0.2
    held.close()
    reset_peak()
    assert peak_mb() < before + 100
    with pytest.raises(subprocess.CalledProcessError) as failed:
        cost_of([sys.executable, "-c", "raise SystemExit('no such thing')"])
    assert "no such thing" in failed.value.stderr


def test_caption(run):
    result = run("caption", "--runs", 1, "--count", 3, "--batch-size", 2, "--json")
    assert result.exit_code == 0, result.output
    measured = json.loads(result.stdout)
    check_machine(measured["machine"])
    assert measured["pictures"] == 3 and measured["batch_size"] == 2
    one = measured["one_picture"]
    assert one["runs"] == 1 and one["seconds"] > 0
    assert 100 < one["peak_mb"] < 10_000  # TensorFlow alone takes hundreds
    for name in ("bfloat16", "float32", "Keras"):
        side = measured[name]
        assert side["pictures_per_second"] == pytest.approx(3 / side["seconds"])
        assert side["memory_growth_mb"] >= 0
        assert 0 < side["network_busy"] <= 1
        stages = side["stages"]
        assert all(stages[name] > 0 for name in ("decode_s", "encode_s", "search_s"))
        widths = side["beam_widths"]
        assert list(widths) == ["1", "3", "5"]
        assert widths["3"]["search_s"] == stages["search_s"]
        greedy = widths["1"]["search_s"]
        before = stages["decode_s"] + stages["encode_s"]
        for row in widths.values():
            assert row["search_over_greedy"] == pytest.approx(row["search_s"] / greedy)
            total = (before + row["search_s"]) / (before + greedy)
            assert row["total_over_greedy"] == pytest.approx(total)
    half, whole, keras = (measured[name]["seconds"] for name in ("bfloat16", "float32", "Keras"))
    assert measured["bfloat16_speedup"] == pytest.approx(whole / half)
    assert measured["openvino_speedup"] == pytest.approx(keras / half)


@pytest.mark.slow
def test_train(run):
    result = run("train", "--steps", 1, "--batch-size", 1, "--json")
    assert result.exit_code == 0, result.output
    measured = json.loads(result.stdout)
    check_machine(measured["machine"])
    found = measured["found"]
    assert list(found) == ["decoder alone", "block5 up", "block3 up"]
    alone = found["decoder alone"]
    for side in found.values():
        assert side["seconds"] > 0
        assert side["over_decoder"] == pytest.approx(side["seconds"] / alone["seconds"])
        assert 100 < side["peak_mb"] < 20_000


@pytest.mark.slow
def test_video(run, tmp_path):
    result = run("video", "--count", 2, "--json")
    assert result.exit_code == 0, result.output
    measured = json.loads(result.stdout)
    check_machine(measured["machine"])
    # Two shots of two seconds, each of which is looked at four times.
    assert (measured["films"], measured["shots"], measured["frames"]) == (2, 4, 32)
    process = measured["process"]
    assert process["frames_per_second"] == pytest.approx(32 / process["seconds"])
    assert 100 < process["peak_mb"] < 10_000
    assert measured["frames_per_second"] == pytest.approx(32 / measured["seconds"])
    assert 0 < measured["network_busy"] <= 1
    apart = measured["decode_s"] + measured["describe_s"]
    assert measured["overlap_gain"] == pytest.approx(apart / measured["seconds"])
    (tmp_path / "broken.mp4").write_bytes(b"broken")
    broken = run("video", "--films", tmp_path)
    assert broken.exit_code == 1 and "broken.mp4" in broken.output
    (tmp_path / "broken.mp4").unlink()
    none = run("video", "--films", tmp_path)
    assert none.exit_code == 1 and "holds no films" in none.output


@pytest.mark.slow
def test_growth(run):
    result = run("growth", "--count", 3, "--json")
    assert result.exit_code == 0, result.output
    measured = json.loads(result.stdout)
    check_machine(measured["machine"])
    assert measured["pictures"] == [3, 30]
    once, often = measured["seconds"]
    assert measured["seconds_ratio"] == pytest.approx(often / once)
    assert all(100 < peak < 10_000 for peak in measured["peak_mb"])
    assert "30" in run("growth", "--count", 3).stdout


@pytest.mark.slow
def test_roofline_counts_the_operations_of_the_network(run):
    from benchmarks.roofline import VGG16_OPERATIONS

    encoder = VGG16Encoder(weights=None)
    counted = 0
    for layer in encoder.backbone.layers:
        if isinstance(layer, keras.layers.Conv2D):
            _, height, width, _ = layer.output.shape
            counted += 2 * height * width * math.prod(layer.kernel.shape)
    assert counted == VGG16_OPERATIONS

    result = run("roofline", "--side", 64, "--runs", 1, "--batch-size", 1, "--json")
    assert result.exit_code == 0, result.output
    measured = json.loads(result.stdout)
    for name in ("float32", "bfloat16", "8 bits"):
        side = measured[name]
        assert side["product_gflops"] > 0 and side["vgg16_gflops"] > 1
        assert side["share"] == pytest.approx(side["vgg16_gflops"] / side["product_gflops"])


def test_peers_are_measured_where_they_are_installed(run):
    result = run("peers", "--count", 32, "--json")
    if find_spec("transformers") is None:
        assert result.exit_code == 1
        assert "pip install 'captioner[peers]'" in result.output
        return
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["found"]
    assert list(found) == ["captioner", "BLIP-base", "ViT-GPT2"]
    ours = found["captioner"]["pictures_per_second"]
    for name in ("BLIP-base", "ViT-GPT2"):
        side = found[name]
        assert len(side["runs"]) == 4
        fastest = max(run["pictures_per_second"] for run in side["runs"].values())
        assert side["pictures_per_second"] == fastest
        assert side["captioner_is_faster"] == pytest.approx(ours / fastest)


@pytest.mark.slow
def test_precision(run, tiny_preset, tmp_path):
    """The references are the captions in float32 themselves."""
    names = ["astronaut.jpg", "cat.jpg", "coffee.jpg", "pagoda.jpg"]
    paths = [SAMPLES / name for name in names]
    said = {
        precision: Captioner.from_preset(tiny_preset, precision).generate(paths)
        for precision in ("bfloat16", "float32")
    }
    with (tmp_path / "captions.csv").open("w", newline="") as file:
        rows = [
            (name, caption.text, "val")
            for name, caption in zip(names, said["float32"], strict=True)
        ]
        csv.writer(file).writerows([("image", "caption", "split"), *rows])
    arguments = ("precision", "--dataset", tmp_path, "--images", SAMPLES)
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    measured = json.loads(result.stdout)
    check_machine(measured["machine"])
    assert measured["split"] == "val" and measured["pictures"] == 4
    words = {n: " ".join(c.words) for n, c in zip(names, said["float32"], strict=True)}
    full = score_captions(words, {name: [text] for name, text in words.items()})
    assert full["BLEU-1"] == pytest.approx(1)
    assert measured["float32"] == pytest.approx({key: full[key] for key in ("CIDEr", "BLEU-4")})
    pairs = zip(said["bfloat16"], said["float32"], strict=True)
    same = sum(half.words == whole.words for half, whole in pairs)
    assert measured["identical_captions"]["bfloat16"] == same / 4
    if same == 4:
        assert measured["bfloat16"] == measured["float32"]
    assert measured["identical_captions"]["float32, Keras"] == 1
    assert measured["float32, Keras"] == measured["float32"]
    limited = run(*arguments, "--limit", 1)
    assert limited.exit_code == 0 and "1 pictures of val" in limited.stdout


@pytest.mark.slow
def test_gender(run, tiny_preset, tmp_path):
    """People say of every picture that it shows a woman; the toy model knows a man alone."""
    names = sorted(path.name for path in SAMPLES.glob("*.jpg"))
    captions = Captioner.from_preset(tiny_preset).generate([SAMPLES / name for name in names])
    male = sum("man" in caption.words for caption in captions)
    with (tmp_path / "captions.csv").open("w", newline="") as file:
        rows = [(name, "a woman and her dog", "val") for name in names]
        csv.writer(file).writerows([("image", "caption", "split"), *rows])
    result = run("gender", "--dataset", tmp_path, "--images", SAMPLES)
    assert result.exit_code == 0, result.output
    first, _, _, any_share, *_, certain = result.stdout.splitlines()
    assert first == f"{male} of {len(names)} captions name one gender; by people, {male}"
    assert any_share.split("|")[2:4] == [f"{male:9} ", f"{100 if male else 0:11.1f} % "]
    # "woman" is not among its words, so that no share is above 0.
    assert certain.split("|")[1:3] == [" 0.99           ", f"{0:9} "]
    limited = run("gender", "--dataset", tmp_path, "--images", SAMPLES, "--limit", 2)
    assert " of 2 captions name" in limited.stdout


def test_refusals_are_one_sentence(run, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"broken")
    few = run("caption", "--images", tmp_path, "--count", 2)
    assert few.exit_code == 1 and f"{tmp_path} holds 1 pictures" in few.output
    absent = run("precision", "--dataset", tmp_path)
    assert absent.exit_code == 1 and "has no readable data set" in absent.output
