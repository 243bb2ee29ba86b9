import re
import tomllib
from pathlib import Path

from captioner.presets.storage import bundled_presets, preset_folder
from captioner.training.recipe import read_recipe

ROOT = Path(__file__).parents[1]


def test_each_licence_of_the_wheel_has_its_text():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = set(project["license"].split(" AND "))
    assert named == {"Apache-2.0", *(path.stem for path in (ROOT / "LICENSES").iterdir())}
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    shipped = {path for pattern in project["license-files"] for path in ROOT.glob(pattern)}
    assert shipped == {ROOT / "LICENSE", *(ROOT / "LICENSES").iterdir()}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "(LICENSES/LicenseRef-Research-Data.txt)" in readme


def test_each_bundled_preset_says_what_its_weights_may_be_used_for():
    terms = (ROOT / "LICENSES" / "LicenseRef-Research-Data.txt").read_text(encoding="utf-8")
    for name in bundled_presets():
        card = (preset_folder(name) / "README.md").read_text(encoding="utf-8")
        assert re.search(r"^## Licence\n+\S", card, re.MULTILINE), name
    datasets = {Path(data["path"]).name for data in read_recipe("vgg16_top_down")["datasets"]}
    known = {name.lower().replace("-", "") for name in re.findall(r"[\w-]+", terms)}
    assert {name.split("_")[0].split(".")[0] for name in datasets} <= known
