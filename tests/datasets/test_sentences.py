import gzip

import pytest

from captioner.datasets.readers import read_dataset
from captioner.errors import CaptionerError

LINES = [
    "A giraffe near a zebra.",
    "A dog runs.",
    "Giraffes and zebras standing",
    "...",
    "",
    "A zebra beside a giraffe .",
    "Two dogs run on grass.",
    "The giraffe looks at zebras",
    "A giraffe, a zebra",
]


@pytest.mark.parametrize("name", ["captions.txt", "captions.txt.gz"])
def test_captions_with_the_same_rare_words_are_one_group(tmp_path, name):
    text = "\n".join(LINES).encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    dataset = read_dataset(tmp_path / name)
    assert dataset.name == "captions"
    assert not dataset.has_images and not dataset.has_clips
    read = [caption for example in dataset.examples for caption in example.captions]
    assert sorted(read) == sorted(line for line in LINES if line.strip("."))
    places = [place for place, caption in enumerate(read) if "iraffe" in caption]
    assert places == list(range(places[0], places[0] + 5))
    assert all(e.split == "train" and e.path == "" for e in dataset.examples)
    assert dataset.examples[0].tokens[0][0] == dataset.examples[0].captions[0].split()[0].lower()


@pytest.mark.parametrize("content", [b"", b"\n...\n", b"\x1f\x8b\x00"])
def test_a_file_without_captions_is_refused(tmp_path, content):
    for name in ("a.txt", "a.txt.gz"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CaptionerError, match=name):
            read_dataset(tmp_path / name)
