import pytest

from captioner.errors import CaptionerError
from captioner.training.config import parse_config, read_config
from captioner.training.recipe import recipe_names

STAGE = {"name": "frozen", "epochs": 2, "learning_rate": "2e-3"}
PART = {"name": "n", "path": "p"}
CRITICAL = {**STAGE, "objective": "self_critical", "label_smoothing": 0}
TAUGHT = {**STAGE, "teachers": ["p"], "distillation": 0.5}
CONFIG = {"dataset": "d", "features": "f", "run": "r", "stages": [STAGE]}


CAPTIONERS = [name for name in recipe_names() if not name.startswith("activity")]


@pytest.mark.parametrize("name", CAPTIONERS)
def test_every_recipe_can_be_read(name):
    assert read_config(name).stages


def test_settings_change_a_recipe_and_overrides_come_last():
    config = read_config("vgg16_lrcn_flickr8k", {"run": "r"}, ["run=s", "stages.frozen.ema=0"])
    assert (config.run, config.stages[0].ema) == ("r", 0.0)


def test_numbers_as_yaml_reads_them():
    stage = parse_config(CONFIG, "c").stages[0]
    assert stage.learning_rate == 0.002
    assert stage.epochs == 2


def test_overrides_replace_the_file(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(
        "dataset: d\nfeatures: f\nrun: r\nstages:\n- {name: a, epochs: 1, learning_rate: 1}\n"
    )
    config = read_config(path, {"run": "elsewhere"})
    assert (config.dataset, config.run, config.stages[0].learning_rate) == ("d", "elsewhere", 1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": "d"}, r"unknown key data: did you mean dataset\?"),
        ({"datasets": "d"}, "datasets should be a list"),
        ({"datasets": [PART]}, "give either `dataset`, or a list"),
        ({"dataset": "", "datasets": []}, "give either `dataset`, or a list"),
        ({"dataset": "", "datasets": [PART, PART]}, "a `name` of its own"),
        ({"dataset": "", "datasets": [{"path": "p"}]}, "a `name` of its own"),
        ({"dataset": "", "datasets": [{"name": "n"}]}, "missing key datasets.0.path"),
        ({"dataset": "", "datasets": [{**PART, "weight": 0}]}, "0.weight should be greater than 0"),
        ({"dataset": "", "datasets": [{**PART, "frames": 0}]}, "0.frames should be greater than"),
        ({"dataset": "", "datasets": [{**PART, "validation": -1}]}, "0.validation should be"),
        ({"stages": []}, "stages should list at least one"),
        (
            {"stages": [{**STAGE, "lr": 1}]},
            "unknown key stages.0.lr: the keys",
        ),
        ({"stages": [{"name": "x"}]}, "missing key stages.0.epochs"),
        ({"stages": [STAGE, STAGE]}, "two stages have the same name"),
        (
            {"stages": [{**STAGE, "epochs": "many"}]},
            "0.epochs should be a valid integer",
        ),
        (
            {"stages": [{**STAGE, "learning_rate": "fast"}]},
            "learning_rate should be a number",
        ),
        ({"stages": ["frozen"]}, "stages.0 should consist of `key: value` lines, not 'frozen'"),
        (
            {"stages": [{**STAGE, "objective": "luck"}]},
            "objective should be 'cross_entropy', ",
        ),
        ({"stages": [{**STAGE, "objective": "self_critical"}]}, "set label_smoothing: 0"),
        ({"stages": [{**CRITICAL, "trainable_from": "block5"}]}, "leave out trainable_from"),
        ({"stages": [{**CRITICAL, "samples": 1}]}, "samples is 1: .* give two or more"),
        ({"stages": [{**STAGE, "frames": 2}]}, "frames is 2, but must be from 1 to 1"),
        (
            {"views": 3, "stages": [{**STAGE, "frames": 2, "trainable_from": "block5"}]},
            "frames is 2, but must be from 1 to 1",
        ),
        ({"stages": [{**STAGE, "teachers": "p"}]}, "stages.0.teachers should be a list, not 'p'"),
        (
            {"stages": [{**STAGE, "teachers": ["p"]}]},
            "teachers and distillation, .* must be given together",
        ),
        ({"stages": [{**STAGE, "distillation": 0.5}]}, "must be given together"),
        (
            {"stages": [{**TAUGHT, "distillation": 1.5}]},
            "distillation should be less",
        ),
        ({"stages": [{**TAUGHT, "trainable_from": "block5"}]}, "teachers need stored features"),
        ({"stages": [{**TAUGHT, **CRITICAL}]}, "leave out either trainable_from and objective"),
        (
            {
                "dataset": "",
                "datasets": [
                    {"path": "a", "name": "a"},
                    {"path": "b", "name": "b", "distilled": True},
                ],
            },
            "stage frozen: a distilled data set needs `teachers`",
        ),
        ({"min_count": True}, "min_count should be a valid integer, not True"),
        ({"seed": 1.5}, "seed should be a valid integer"),
        ({"stages": [{**STAGE, "flip": "yes"}]}, "flip should be a valid boolean"),
        ({"stages": [{**STAGE, "learning_rate": True}]}, "should be a valid number"),
        ({"stages": [{**STAGE, "ema": "1.5"}]}, "ema should be less than 1, not "),
        ({"featurs": "f"}, r"unknown key featurs: did you mean features\?"),
        ({"decoder": {"units": 4}}, "needs a `name`"),
    ],
)
def test_mistakes_are_named(change, message):
    with pytest.raises(CaptionerError, match=message) as caught:
        parse_config({**CONFIG, **change}, "c.yaml")
    assert "c.yaml" in str(caught.value)


def test_files_that_are_no_config(tmp_path):
    with pytest.raises(CaptionerError, match="cannot read the config"):
        read_config(tmp_path / "absent.yaml")
    path = tmp_path / "c.yaml"
    for text, message in (("a: [", "is not YAML"), ("just words", "`key: value` lines")):
        path.write_text(text)
        with pytest.raises(CaptionerError, match=message):
            read_config(path)


def test_several_data_sets():
    parts = [{**PART, "weight": 2}, {"name": "m", "path": "q", "frames": 3, "captions": False}]
    config = parse_config({**CONFIG, "dataset": "", "datasets": parts}, "c.yaml")
    assert [(d.name, d.path, d.weight, d.frames, d.captions) for d in config.data] == [
        ("n", "p", 2.0, None, True),
        ("m", "q", 1.0, 3, False),
    ]
    single = parse_config({**CONFIG, "dataset": "d", "images": "i"}, "c.yaml").data
    assert [(d.name, d.path, d.images) for d in single] == [("", "d", "i")]
