import pytest
from hypothesis import given
from hypothesis import strategies as st

from captioner.datasets.msvd import read_msvd
from captioner.datasets.readers import read_dataset
from captioner.errors import CaptionerError

DESCRIPTIONS = """\
# This file contains the English video descriptions of the corpus.
#
mv89psg6zh4_33_46 A bird is bathing in a sink.
mv89psg6zh4_33_46 A bird splashes water.
-4wsuPCjDBc_5_15 A squirrel is eating a peanut in it's shell.

-_hbPLsZvvo_18_25 Someone mixes flour.
-_hbPLsZvvo_18_25 ?
unnumbered__1_2 A man runs.
"""
# The last line ends as on Windows, as in some copies.
MAPPING = "-4wsuPCjDBc_5_15 vid1200\n-_hbPLsZvvo_18_25 vid1300\nmv89psg6zh4_33_46 vid1301\r\n"
CORPUS = """\
VideoID,Start,End,WorkerID,Source,AnnotationTime,Language,Description
mv89psg6zh4,33,46,588702,unverified,55,Slovene,Papagaj se umiva pod tekočo vodo v lijaku.
mv89psg6zh4,33,46,588703,clean,31,English,A bird is bathing in a sink.
-4wsuPCjDBc,5,15,588703,clean,20,English,"A squirrel, eating."
mv89psg6zh4,33,46,588704,clean,31,English,A bird splashes water.
-_hbPLsZvvo,18,25,588704,clean,31,English,Someone mixes flour.
-_hbPLsZvvo,18,25,588705,clean,31,English,
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "AllVideoDescriptions.txt").write_text(DESCRIPTIONS)
    (tmp_path / "youtube_mapping.txt").write_bytes(MAPPING.encode())
    (tmp_path / "YouTubeClips").mkdir()
    (tmp_path / "YouTubeClips" / "mv89psg6zh4_33_46.avi").touch()
    return tmp_path


def test_descriptions(folder):
    dataset = read_msvd(folder)
    assert dataset == read_dataset(folder) == read_dataset(folder / "AllVideoDescriptions.txt")
    assert dataset.name == "msvd"
    assert [(e.id, e.split) for e in dataset.examples] == [
        ("-4wsuPCjDBc_5_15", "train"),
        ("-_hbPLsZvvo_18_25", "val"),
        ("mv89psg6zh4_33_46", "test"),
    ]
    assert dataset.split("val")[0].captions == ("Someone mixes flour.",)  # not the answer "?"
    (test,) = dataset.split("test")
    assert test.captions == ("A bird is bathing in a sink.", "A bird splashes water.")
    assert test.tokens[1] == ("a", "bird", "splashes", "water")
    assert test.path == str(folder / "YouTubeClips" / "mv89psg6zh4_33_46.avi")


@pytest.mark.parametrize("name", ["video_corpus.csv", "MSR Video Description Corpus.csv"])
def test_english_captions_of_the_whole_corpus(folder, name):
    expected = read_msvd(folder)
    (folder / "AllVideoDescriptions.txt").unlink()
    (folder / name).write_text(CORPUS, encoding="utf-8")
    found = read_dataset(folder)
    assert found == read_dataset(folder / name)
    assert found.examples[0].captions == ("A squirrel, eating.",)
    assert found.examples[1:] == expected.examples[1:]


def test_clips_elsewhere(folder):
    (folder / "YouTubeClips").rename(folder / "mine")
    with pytest.raises(CaptionerError, match=r"none of the first images.*\.avi.*--images"):
        read_msvd(folder)
    assert read_msvd(folder, folder / "mine").examples[2].path == str(
        folder / "mine" / "mv89psg6zh4_33_46.avi"
    )


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("AllVideoDescriptions.txt", "", "AllVideoDescriptions.txt has no English caption for"),
        (
            "youtube_mapping.txt",
            "absent_0_1 vid7",
            "has no English caption for the clip absent_0_1",
        ),
        ("youtube_mapping.txt", "", "lists no images"),
        ("youtube_mapping.txt", "\nvid7 a_0_1\n", "youtube_mapping.txt, line 2, is not like"),
        ("youtube_mapping.txt", "a_0_1 vid\n", "youtube_mapping.txt, line 1, is not like"),
        ("youtube_mapping.txt", MAPPING * 2, "lists the image -4wsuPCjDBc_5_15 2 times"),
    ],
)
def test_refuses_broken_files(folder, name, text, complaint):
    (folder / name).write_text(text)
    with pytest.raises(CaptionerError) as caught:
        read_msvd(folder)
    assert complaint in str(caught.value)


def test_refuses_missing_files_and_columns(folder):
    (folder / "video_corpus.csv").write_text("VideoID,Start,End,Description\n")
    with pytest.raises(CaptionerError, match=r"video_corpus\.csv lacks Language: download"):
        read_msvd(folder / "video_corpus.csv")
    (folder / "video_corpus.csv").write_text(CORPUS.replace("English", "German"))
    with pytest.raises(CaptionerError, match=r"video_corpus\.csv has no English caption"):
        read_msvd(folder / "video_corpus.csv")
    (folder / "youtube_mapping.txt").unlink()
    with pytest.raises(CaptionerError, match=r"youtube_mapping\.txt is missing"):
        read_msvd(folder)
    with pytest.raises(CaptionerError, match="has none of AllVideoDescriptions"):
        read_msvd(folder / "YouTubeClips")


@given(st.text(max_size=80), st.text(max_size=40))
def test_any_text_is_read_or_refused(tmp_path_factory, descriptions, mapping):
    folder = tmp_path_factory.mktemp("msvd")
    for name, text in (("AllVideoDescriptions", descriptions), ("youtube_mapping", mapping)):
        (folder / f"{name}.txt").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(CaptionerError):  # at the latest because no clip is there
        read_msvd(folder)
