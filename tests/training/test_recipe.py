from pathlib import Path

import pytest
import yaml

from captioner.errors import CaptionerError
from captioner.training.recipe import read_recipe, recipe_names, recipe_path


def write(path, **content):
    path.write_text(yaml.safe_dump(content))
    return path


def test_bundled_recipes_are_known_by_name_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert {"vgg16_top_down", "activity_lstm"} <= set(recipe_names())
    for name in recipe_names():
        assert read_recipe(name) == read_recipe(recipe_path(name))


def test_a_file_comes_before_a_bundled_recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "vgg16_top_down", seed=7)
    assert read_recipe("vgg16_top_down") == {"seed": 7}


@pytest.mark.parametrize("name", ["absent", "absent.yaml", "recipes/vgg16_top_down"])
def test_an_unknown_name_lists_the_known_ones(name):
    with pytest.raises(CaptionerError, match=f"{name}: .*vgg16_top_down, "):
        recipe_path(name)


def test_a_recipe_begins_with_its_base(tmp_path):
    write(tmp_path / "first.yaml", seed=1, decoder={"name": "lrcn", "units": 8}, stages=[1, 2])
    (tmp_path / "below").mkdir()
    write(tmp_path / "below/second.yaml", base="../first.yaml", decoder={"units": 4}, stages=[3])
    third = write(tmp_path / "below/third.yaml", base="second.yaml", seed=3)
    assert read_recipe(third) == {
        "seed": 3,
        "decoder": {"name": "lrcn", "units": 4},
        "stages": [3],
    }


def test_a_base_may_be_a_bundled_recipe(tmp_path):
    path = write(tmp_path / "own.yaml", base="vgg16_lrcn_flickr8k", seed=9)
    assert read_recipe(path) == {**read_recipe("vgg16_lrcn_flickr8k"), "seed": 9}


def test_bases_that_are_none(tmp_path):
    write(tmp_path / "a.yaml", base="b.yaml")
    with pytest.raises(CaptionerError, match="its own base"):
        read_recipe(write(tmp_path / "b.yaml", base="a.yaml"))
    with pytest.raises(CaptionerError, match="must name one recipe, got 3"):
        read_recipe(write(tmp_path / "c.yaml", base=3))
    with pytest.raises(CaptionerError, match="cannot read the config nosuch"):
        read_recipe(write(tmp_path / "d.yaml", base="nosuch"))


CONTENT = {"seed": 1, "decoder": {"name": "lrcn"}, "stages": [{"name": "a"}, {"name": "b", "n": 1}]}


@pytest.mark.parametrize(
    ("setting", "place", "value"),
    [
        ("seed=2", ["seed"], 2),
        ("new.key=yes", ["new", "key"], True),
        ("decoder.units=64", ["decoder", "units"], 64),
        ("stages.0.ema=0", ["stages", 0, "ema"], 0),
        ("stages.b.n=[1, 2]", ["stages", 1, "n"], [1, 2]),
        ("stages.a={name: c}", ["stages", 0], {"name": "c"}),
        ("dataset=a=b.csv", ["dataset"], "a=b.csv"),
        ("start=null", ["start"], None),
    ],
)
def test_settings(tmp_path, setting, place, value):
    content = read_recipe(write(tmp_path / "r.yaml", **CONTENT), [setting])
    for key in place:
        content = content[key]
    assert content == value


def test_null_takes_an_item_out_of_a_list_and_settings_come_in_order(tmp_path):
    path = write(tmp_path / "r.yaml", **CONTENT)
    content = read_recipe(path, ["stages.a=null", "stages.0.n=5"])
    assert content["stages"] == [{"name": "b", "n": 5}]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("seed", "write KEY=VALUE"),
        ("=3", "write KEY=VALUE"),
        ("a..b=3", "write KEY=VALUE"),
        ("seed=[", "the value is not YAML"),
        ("stages.2.n=1", "'2' is not one of a, b"),
        ("stages.c=1", "'c' is not one of a, b"),
        ("seed.x=1", "a single value has no key"),
        ("seed.x.y=1", "a single value has no key"),
    ],
)
def test_settings_that_fit_nothing(tmp_path, setting, message):
    with pytest.raises(CaptionerError, match=f"--set .*{message}"):
        read_recipe(write(tmp_path / "r.yaml", **CONTENT), [setting])


def test_a_file_that_is_no_text(tmp_path):
    path = Path(tmp_path / "r.yaml")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CaptionerError, match="not UTF-8 text"):
        read_recipe(path)
