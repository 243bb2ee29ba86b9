import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge

from captioner.cli.evaluate import evaluate
from captioner.evaluation.meteor import Meteor

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
REFERENCES = {
    1: ["A dog runs on the grass.", "The dog's running."],
    2: ["Two men stand in the snow.", "Men outside, in snow!"],
    3: ["A cat sleeps on a bed.", "The cat is asleep."],
}
RESULTS = {1: "A dog runs on grass.", 2: "Two men in the snow", 3: "a black cat on a bed"}


def write_results(path, captions):
    path.write_text(json.dumps([{"image_id": i, "caption": c} for i, c in captions.items()]))


@pytest.fixture
def folder(tmp_path):
    annotations = [{"image_id": i, "caption": c} for i, texts in REFERENCES.items() for c in texts]
    content = {"images": [{"id": image} for image in REFERENCES], "annotations": annotations}
    (tmp_path / "references.json").write_text(json.dumps(content))
    write_results(tmp_path / "results.json", RESULTS)
    return tmp_path


def run(folder, *arguments, references="references.json", results="results.json"):
    files = [str(folder / results), "--references", str(folder / references)]
    return CliRunner().invoke(evaluate, [*files, "--resamples", "100", *arguments])


def test_json_equals_pycocoevalcap(folder):
    done = run(folder, "--json", "--no-meteor")
    assert done.exit_code == 0, done.output
    scores = json.loads(done.stdout)
    # PTB tokens without punctuation, by hand.
    truth = {
        1: ["a dog runs on the grass", "the dog 's running"],
        2: ["two men stand in the snow", "men outside in snow"],
        3: ["a cat sleeps on a bed", "the cat is asleep"],
    }
    words = {1: ["a dog runs on grass"], 2: ["two men in the snow"], 3: ["a black cat on a bed"]}
    bleu, _ = Bleu(4).compute_score(truth, words, verbose=0)
    assert [scores[f"BLEU-{n}"] for n in range(1, 5)] == pytest.approx(bleu, abs=1e-9)
    assert scores["ROUGE-L"] == pytest.approx(Rouge().compute_score(truth, words)[0], abs=1e-9)
    cider, _ = Cider().compute_score(truth, words)
    assert scores["CIDEr"] == scores["CIDEr-D"] == pytest.approx(cider, abs=1e-9)
    assert "METEOR" not in scores
    assert any("METEOR" in note for note in scores["notes"])
    for name, (low, high) in scores["intervals"].items():
        assert low <= scores[name] <= high, name
    assert (scores["images"], scores["references"], scores["missing"]) == (3, 6, [])


@pytest.mark.slow
@pytest.mark.skipif(not Meteor.is_available(), reason="Java is not installed")
def test_meteor_is_there_where_java_is(folder):
    done = run(folder, "--json")
    scores = json.loads(done.stdout)
    low, high = scores["intervals"]["METEOR"]
    assert 0 < low <= scores["METEOR"] <= high < 1


def test_without_java_meteor_is_left_out_and_said_so(folder, monkeypatch):
    monkeypatch.setenv("PATH", str(folder))
    done = run(folder)
    assert done.exit_code == 0, done.output
    assert "METEOR was left out: it needs Java" in done.stdout
    asked = run(folder, "--meteor")
    assert asked.exit_code == 1
    assert "METEOR needs Java" in asked.stderr


def test_table_page_and_results_file(folder):
    done = run(
        folder,
        "--no-meteor",
        *("--html", str(folder / "page.html"), "--write-results", str(folder / "again.json")),
    )
    assert done.exit_code == 0, done.output
    assert done.stdout.count("| CIDEr") == 1
    assert "a black cat on a bed" in (folder / "page.html").read_text()
    assert json.loads((folder / "again.json").read_text()) == json.loads(
        (folder / "results.json").read_text()
    )


@pytest.mark.parametrize(
    ("captions", "said"),
    [
        ({1: "a dog", 2: "two men"}, "no caption for 1 image (3)"),
        ({1: "a dog", 2: "two men", 3: " "}, "1 of them empty"),
        ({**RESULTS, 9: "a ghost"}, "1 image (9)"),
    ],
)
def test_incomplete_results_are_refused_in_one_line(folder, captions, said):
    write_results(folder / "results.json", captions)
    done = run(folder, "--no-meteor")
    assert done.exit_code == 1
    assert said in done.stderr and "results.json" in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_doubled_captions_are_refused(folder):
    entries = [{"image_id": i, "caption": c} for i, c in [*RESULTS.items(), (2, "again")]]
    (folder / "results.json").write_text(json.dumps(entries))
    done = run(folder, "--no-meteor", "--allow-missing")
    assert done.exit_code == 1
    assert "more than one caption for 1 image (2)" in done.stderr


def test_allowed_missing_captions_are_counted_and_never_help(folder):
    whole = json.loads(run(folder, "--json", "--no-meteor").stdout)
    write_results(folder / "results.json", {1: RESULTS[1], 2: RESULTS[2]})
    done = run(folder, "--json", "--no-meteor", "--allow-missing")
    assert done.exit_code == 0, done.output
    scores = json.loads(done.stdout)
    assert scores["missing"] == ["3"]
    assert any("1 of 3 images had no caption" in note for note in scores["notes"])
    assert all(scores[name] < whole[name] for name in ("ROUGE-L", "CIDEr-D", "BLEU-1"))


@pytest.mark.parametrize(
    "arguments", [[], ["--preset", "x"], ["--dataset", "."], ["--preset", "x", "--references", "."]]
)
def test_half_a_command_is_a_usage_error(arguments):
    done = CliRunner().invoke(evaluate, arguments)
    assert done.exit_code == 2
    assert "Give RESULTS and --references, or --preset and --dataset." in done.stderr


def test_a_model_is_scored_on_the_captions_that_it_gives(tiny_preset, tmp_path):
    from captioner.captioner import Captioner

    names = ["astronaut.jpg", "cat.jpg", "coffee.jpg"]
    rows = [f"{name},A dog runs in the red grass {name[0]}.,test\n" for name in names]
    (tmp_path / "captions.csv").write_text("image,caption,split\n" + "".join(rows))
    done = CliRunner().invoke(
        evaluate,
        [
            *("--preset", str(tiny_preset), "--dataset", str(tmp_path / "captions.csv")),
            *("--images", str(SAMPLES), "--beam-width", "2", "--resamples", "100"),
            *("--json", "--no-meteor", "--html", str(tmp_path / "page.html")),
            *("--write-results", str(tmp_path / "results.json")),
        ],
    )
    assert done.exit_code == 0, done.output
    captioner = Captioner.from_preset(tiny_preset)
    captions = captioner.generate([str(SAMPLES / name) for name in names], beam_width=2)
    assert json.loads((tmp_path / "results.json").read_text()) == [
        {"image_id": name, "caption": caption.text}
        for name, caption in zip(names, captions, strict=True)
    ]
    again = CliRunner().invoke(
        evaluate,
        [
            *(str(tmp_path / "results.json"), "--references", str(tmp_path / "captions.csv")),
            *("--json", "--no-meteor", "--resamples", "100"),
        ],
    )
    assert json.loads(again.stdout) == {**json.loads(done.stdout), "name": "results.json"}
    assert (tmp_path / "page.html").read_text().count("data:image/jpeg;base64,") == len(names)


def test_a_picture_that_cannot_be_read_is_a_missing_caption(tiny_preset, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    rows = f"broken.jpg,A dog.,test\n{SAMPLES / 'cat.jpg'},A cat.,test\n"
    (tmp_path / "captions.csv").write_text("image,caption,split\n" + rows)
    command = ["--preset", str(tiny_preset), "--dataset", str(tmp_path / "captions.csv")]
    done = CliRunner().invoke(evaluate, [*command, "--no-meteor"])
    assert done.exit_code == 1
    assert "no caption for 1 image (broken.jpg)" in done.stderr
    done = CliRunner().invoke(evaluate, [*command, "--no-meteor", "--allow-missing", "--json"])
    assert json.loads(done.stdout)["missing"] == ["broken.jpg"]


def test_the_group_finds_the_command():
    from captioner.cli import main

    done = CliRunner().invoke(main, ["evaluate", "--help"])
    assert done.exit_code == 0
    assert "--references" in done.stdout
