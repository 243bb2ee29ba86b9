import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.mixture import DataConfig, Mixture, Part, draw_epoch, read_mixture


def dataset(name, splits, suffix="jpg"):
    words = (("a", "dog"),)
    return Dataset(
        name,
        tuple(
            Example(f"{n}.{suffix}", f"/{name}/{n}.{suffix}", ("a dog",), words, split)
            for n, split in enumerate(splits)
        ),
    )


def test_ids_tell_the_data_sets_apart():
    parts = [
        Part(DataConfig("", name="one"), dataset("one", ["train", "val"])),
        Part(DataConfig("", name="two", captions=False), dataset("two", ["train"])),
    ]
    mixture = Mixture(parts)
    assert [e.id for e in mixture.split("train")] == ["one/0.jpg"]
    both = mixture.split("train", captions_only=False)
    assert [e.id for e in both] == ["one/0.jpg", "two/0.jpg"]
    assert [mixture.part_of(e) for e in both] == parts
    assert parts[1].own_id("two/0.jpg") == "0.jpg"
    assert mixture.dataset.name == "one + two"


def test_a_single_data_set_keeps_its_ids_and_its_test_split(tmp_path):
    for n in range(3):
        (tmp_path / f"{n}.jpg").write_bytes(b"")
    rows = "\n".join(f"{n}.jpg,a dog,{split}" for n, split in enumerate(("train", "val", "test")))
    (tmp_path / "mine.csv").write_text(f"image,caption,split\n{rows}\n")
    path = str(tmp_path / "mine.csv")
    assert len(read_mixture([DataConfig(path)]).dataset.examples) == 3
    pair = read_mixture([DataConfig(path, name="one"), DataConfig(path, name="two")])
    assert [e.id for e in pair.dataset.examples] == [
        "one/0.jpg",
        "one/1.jpg",
        "two/0.jpg",
        "two/1.jpg",
    ]


@given(
    st.lists(st.tuples(st.integers(1, 30), st.floats(0.1, 4)), min_size=1, max_size=4),
    st.integers(0, 99),
)
def test_an_epoch_sees_each_example_as_often_as_its_weight_says(parts, seed):
    sizes, weights = zip(*parts, strict=True)
    order = draw_epoch(sizes, weights, np.random.default_rng(seed))
    times = np.bincount(order, minlength=sum(sizes))
    for size, weight, own in zip(
        sizes, weights, np.split(times, np.cumsum(sizes)[:-1]), strict=True
    ):
        assert own.sum() == round(size * weight)
        assert own.max() - own.min() <= 1


def test_one_data_set_of_weight_one_is_a_permutation_as_ever():
    expected = np.random.default_rng(7).permutation(20)
    np.testing.assert_array_equal(draw_epoch([20], [1.0], np.random.default_rng(7)), expected)


def test_epochs_differ():
    first, second = (draw_epoch([9, 9], [1, 0.5], np.random.default_rng(n)) for n in (0, 1))
    assert first.tolist() != second.tolist()


def test_a_split_that_is_nowhere_is_refused():
    parts = [Part(DataConfig("", name=n), dataset(n, ["train"])) for n in ("one", "two")]
    with pytest.raises(Exception, match='no split "val"'):
        Mixture(parts).split("val")
