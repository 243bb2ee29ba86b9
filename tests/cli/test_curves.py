import csv

from click.testing import CliRunner

from captioner.cli import main
from captioner.media.image import load_image


def run(*arguments):
    return CliRunner().invoke(main, ["curves", *map(str, arguments)])


def write_log(folder):
    folder.mkdir(parents=True)
    with (folder / "log.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["epoch", "loss", "accuracy", "likelihood", "train_seconds"])
        table.writerows([[1, 2.5, 0.5, 0.25, 40.0], [2, 1.5, 0.75, 0.5, 40.0]])


def test_in_a_terminal_and_as_a_picture(tmp_path):
    write_log(tmp_path / "signs")
    result = run(tmp_path / "signs", "--out", tmp_path / "curve.png")
    assert result.exit_code == 0, result.output
    assert result.stdout == (
        "2 epochs, 80 s; the best is epoch 2\n"
        "  loss          2.500 █▁ 1.500\n"
        "  accuracy       50.0 ▁█ 75.0\n"
        "  likelihood     25.0 ▁█ 50.0\n"
    )
    assert min(load_image(tmp_path / "curve.png").shape[:2]) > 300


def test_each_stage_has_its_lines(tmp_path):
    for name in ("one", "two"):
        write_log(tmp_path / "run" / name)
    heads = [line for line in run(tmp_path / "run").stdout.splitlines() if line[0] != " "]
    assert sorted(heads) == [
        f"{name}: 2 epochs, 80 s; the best is epoch 2" for name in ("one", "two")
    ]


def test_a_folder_without_a_training(tmp_path):
    result = run(tmp_path)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {tmp_path} has no log.csv: give the folder")
    assert run(tmp_path / "absent").exit_code == 2
