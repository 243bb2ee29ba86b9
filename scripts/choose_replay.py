"""Choose the images whose features `captioner teach` replays, and write the bundled file."""

from pathlib import Path

import click
import numpy as np

from captioner.datasets.feature_set import write_feature_set
from captioner.datasets.readers import read_dataset
from captioner.datasets.store import FeatureStore
from captioner.training.replay import BUNDLED


@click.command()
@click.argument(
    "pairs",
    nargs=-1,
    required=True,
    metavar="DATASET=STORE...",
)
@click.option("--count", default=500, show_default=True, help="Number of images in all.")
@click.option("--out", default=BUNDLED, show_default=True, type=click.Path(path_type=Path))
def choose(pairs: tuple[str, ...], count: int, out: Path) -> None:
    """Draw images of the train splits, the same number of each DATASET, from its feature STORE.

    Of a clip, the middle frame is taken. The file has no captions: they are those of the preset
    that is taught.
    """
    rng = np.random.default_rng(1)
    features = []
    for number, pair in enumerate(pairs):
        path, _, folder = pair.partition("=")
        store = FeatureStore(folder)
        ids = [e.id for e in read_dataset(path).split("train") if e.id in store]
        share = count // len(pairs) + (number < count % len(pairs))
        for row in np.sort(rng.permutation(len(ids))[:share]):
            clip = store[ids[row]]
            features.append(clip[len(clip) // 2][None])
    encoder = FeatureStore(pairs[0].partition("=")[2]).index["encoder"]
    write_feature_set(out, features, [[] for _ in features], encoder)
    click.echo(f"{out}: {len(features)} images, {out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    choose()
