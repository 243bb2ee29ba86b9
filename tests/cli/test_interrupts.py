import pytest
from click.testing import CliRunner

from captioner.cli import main


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("prepare", "Interrupted: the same command resumes where it stopped."),
        ("teach", "Interrupted: the same command resumes where it stopped."),
        ("check", "Interrupted."),
    ],
)
def test_ctrl_c_ends_with_130_and_says_what_resumes(tmp_path, monkeypatch, command, said):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    # In this order: modules that the first one imports keep what they import.
    monkeypatch.setattr("captioner.training.teaching.read_dataset", interrupt)
    monkeypatch.setattr("captioner.datasets.readers.read_dataset", interrupt)
    arguments = [command, str(tmp_path)]
    arguments += [] if command == "check" else ["--out", str(tmp_path / "new")]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 130
    assert done.stderr.splitlines()[-1] == said
