import pytest

from captioner.datasets.dataset import Example
from captioner.errors import CaptionerError
from captioner.training.epoch_samples import (
    SAMPLES,
    Sample,
    choose_shown,
    read_samples,
    samples_of,
    write_samples,
)


def examples(prefix, count):
    return [Example(f"{prefix}{n}", f"{prefix}{n}.jpg", ("People.",)) for n in range(count)]


@pytest.mark.parametrize(("count", "places"), [(0, []), (1, [0]), (3, [0, 1, 2]), (9, [1, 4, 7])])
def test_images_are_taken_evenly(count, places):
    shown = choose_shown({"": examples("", count)})
    assert [example.path for example in shown] == [f"{n}.jpg" for n in places]


def test_each_data_set_has_its_own_and_images_without_a_caption_are_left_out():
    shown = choose_shown({"a": examples("a", 9), "b": examples("b", 1)}, count=2)
    captions = {f"a{n}": f"one {n}" for n in range(9)}
    assert samples_of(shown, captions | {"b0": "two"}, 1) == [
        Sample(1, "a2.jpg", "one 2", "People."),
        Sample(1, "a6.jpg", "one 6", "People."),
        Sample(1, "b0.jpg", "two", "People."),
    ]
    assert samples_of(shown, {"b0": "three"}, 2) == [Sample(2, "b0.jpg", "three", "People.")]


def test_an_epoch_that_is_done_again_is_there_once(tmp_path):
    said = [Sample(n, "a.jpg", f"é {n}", "A dog.") for n in (1, 2, 3)]
    for sample in said:
        write_samples(tmp_path, [sample])
    assert read_samples(tmp_path) == said
    again = Sample(2, "a.jpg", "other", "A dog.")
    write_samples(tmp_path, [again])
    assert read_samples(tmp_path) == [said[0], again]
    write_samples(tmp_path, [])
    assert len(read_samples(tmp_path)) == 2
    assert [path.name for path in tmp_path.iterdir()] == [SAMPLES]


@pytest.mark.parametrize("content", ["{", "[1]", '{"epoch": 1}'])
def test_a_damaged_file_is_named(content, tmp_path):
    (tmp_path / SAMPLES).write_text(content)
    with pytest.raises(CaptionerError, match=rf"{SAMPLES} cannot be read .*: delete it"):
        read_samples(tmp_path)
