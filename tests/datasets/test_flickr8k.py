import pytest

from captioner.datasets.coco import read_karpathy
from captioner.datasets.flickr8k import read_flickr8k
from captioner.errors import CaptionerError


@pytest.mark.slow
@pytest.mark.data
def test_agrees_with_karpathys_file_in_everything(flickr8k):
    ours = read_flickr8k(flickr8k)
    karpathy = read_karpathy(flickr8k / "dataset_flickr8k.json")
    assert ours.name == karpathy.name == "flickr8k"
    sizes = {name: len(ours.split(name)) for name in ("train", "val", "test")}
    assert sizes == {"train": 6000, "val": 1000, "test": 1000}
    # Image ids, paths, raw captions, tokens and splits; the files differ in order.
    assert {e.id: e for e in ours.examples} == {e.id: e for e in karpathy.examples}


@pytest.fixture
def tiny(tmp_path):
    (tmp_path / "Flickr8k.token.txt").write_text(
        "1_a.jpg#0\tA child 's sled .\n1_a.jpg#1\tA child#s\tsled\n"
        "2_b.jpg#0\tTwo dogs .\n3_c.jpg#0\tA man .\n"
        "2258277193_586949ec62.jpg.1#0\tPeople on horses .\n\n"
    )
    (tmp_path / "Flickr_8k.trainImages.txt").write_text("1_a.jpg\n")
    (tmp_path / "Flickr_8k.devImages.txt").write_text("3_c.jpg\n")
    (tmp_path / "Flickr_8k.testImages.txt").write_text("2_b.jpg\n")
    (tmp_path / "Flicker8k_Dataset").mkdir()
    (tmp_path / "Flicker8k_Dataset" / "1_a.jpg").touch()
    return tmp_path


def test_tiny_copy(tiny):
    dataset = read_flickr8k(tiny)
    assert [e.id for e in dataset.examples] == ["1_a.jpg", "3_c.jpg", "2_b.jpg"]
    (train,) = dataset.split("train")
    assert train.captions == ("A child 's sled .", "A child#s\tsled")
    assert train.tokens[0] == ("a", "child", "s", "sled")
    assert train.path == str(tiny / "Flicker8k_Dataset" / "1_a.jpg")
    assert dataset.split("val")[0].captions == ("A man .",)


def test_pictures_elsewhere(tiny):
    (tiny / "Flicker8k_Dataset").rename(tiny / "mine")
    with pytest.raises(CaptionerError, match="--images"):
        read_flickr8k(tiny)
    assert read_flickr8k(tiny, tiny / "mine").examples[0].path == str(tiny / "mine" / "1_a.jpg")


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("Flickr8k.token.txt", "1_a.jpg A child\n", "line 1, is not"),
        ("Flickr8k.token.txt", "1_a.jpg#0\tA child\nchild\tA child\n", "line 2, is not"),
        ("Flickr8k.token.txt", "1_a.jpg#0\t .\n", "image 1_a.jpg, has an empty caption"),
        ("Flickr_8k.devImages.txt", "4_d.jpg\n", "lists 4_d.jpg, which has no captions"),
        ("Flickr_8k.devImages.txt", "1_a.jpg\n", "lists the image 1_a.jpg 2 times"),
    ],
)
def test_refuses_broken_files(tiny, file, text, complaint):
    (tiny / file).write_text(text)
    with pytest.raises(CaptionerError) as caught:
        read_flickr8k(tiny)
    assert complaint in str(caught.value)


@pytest.mark.parametrize("file", ["Flickr8k.token.txt", "Flickr_8k.testImages.txt"])
def test_refuses_missing_files(tiny, file):
    (tiny / file).unlink()
    with pytest.raises(CaptionerError, match=f"cannot read .*{file}"):
        read_flickr8k(tiny)
