"""Pictures of one's own: views of the sample photographs, and a table as Excel saves it."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

SAMPLES = Path(__file__).parents[1] / "data" / "samples"
REX = (
    "our dog Rex in the woods",
    "Rex is panting",
    "Rex looks at the trees",
    "this is our dog Rex",
)
OTHERS = {
    "shepherd": "a german shepherd stands in the meadow",
    "cat": "Mia the cat looks up",
    "musicians": "the musicians of the town",
    "street": "people walk down the old street",
}


def view(name: str, seed: int) -> Image.Image:
    """One of many views of a sample: turned, cropped, darker or brighter, perhaps mirrored."""
    random = np.random.default_rng(seed)
    photo = Image.open(SAMPLES / f"{name}.jpg").convert("RGB").resize((320, 320))
    side = int(random.uniform(200, 300))
    x, y = random.integers(0, 320 - side + 1, 2)
    photo = photo.rotate(random.uniform(-8, 8), Image.Resampling.BICUBIC)
    photo = photo.crop((x, y, x + side, y + side)).resize((224, 224))
    photo = ImageEnhance.Brightness(photo).enhance(random.uniform(0.7, 1.3))
    return ImageOps.mirror(photo) if random.random() < 0.5 else photo


def write_rex(folder: Path) -> Path:
    """Write twelve pictures of Rex, one more that is not taught, four others, and their table."""
    (folder / "photos").mkdir(exist_ok=True)
    rows = ["Image ; Caption"]
    for number in range(1, 14):
        view("dog", number).save(folder / "photos" / f"rex{number}.jpg")
        if number < 13:
            rows.append(f"photos/rex{number}.jpg ;{REX[number % 4]} ")
    for name, caption in OTHERS.items():
        view(name, 0).save(folder / "photos" / f"{name}1.jpg")
        rows.append(f"photos/{name}1.jpg;{caption};")
    rows.append(";")
    table = folder / "captions.csv"
    table.write_bytes(("\ufeff" + "\r\n".join(rows) + "\r\n").encode())
    return table
