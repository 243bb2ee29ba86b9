import pytest
import yaml

from captioner.errors import CaptionerError
from captioner.training.config import read_config
from captioner.training.recipe import recipe_names

PATHS = {"dataset": "clips", "features": "features", "run": "run"}


@pytest.mark.parametrize("name", [n for n in recipe_names() if n.startswith("activity")])
def test_every_recipe_can_be_read(name):
    assert read_config(name).task == "activity"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "config.yaml"
    config = {"task": "activity", **PATHS, "epochs": 3, "learning_rate": "1e-3", "crop": 0.9}
    path.write_text(yaml.safe_dump(config))
    return path


def test_reads_values_and_defaults(path):
    config = read_config(path, {"dataset": "others"})
    assert (config.dataset, config.learning_rate, config.head) == ("others", 1e-3, {"name": "lstm"})
    assert config.reading == {"frames": 16, "crop": 0.9, "trim": False}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frame": 3}, "unknown key frame: did you mean frames"),
        ({"head": {"units": 3}}, "`head` needs a `name`"),
        ({"crop": 2.0}, "crop should be less than or equal to 1"),
        ({"drop_frames": 1.0}, "drop_frames should be less than 1"),
        ({"encoder": {"weights": "imagenet", "preset": "x"}}, "either `weights` or `preset`"),
    ],
)
def test_errors_name_the_key(path, change, message):
    with pytest.raises(CaptionerError, match=message):
        read_config(path, change)
