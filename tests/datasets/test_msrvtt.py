import json

import pytest

from captioner.datasets.msrvtt import read_msrvtt
from captioner.datasets.readers import read_dataset
from captioner.errors import CaptionerError


def video(number, split):
    return {
        "category": 9,
        "url": "https://www.youtube.com/watch?v=9lZi22qLlEo",
        "video_id": f"video{number}",
        "start time": 137.72,
        "end time": 149.44,
        "split": split,
        "id": number,
    }


def sentence(sen_id, number, caption):
    return {"caption": caption, "video_id": f"video{number}", "sen_id": sen_id}


def write(path, videos, sentences):
    info = {
        "contributor": "Microsoft MSM group",
        "data_created": "2016-04-14 14:30:20",
        "version": "1.0",
        "description": "This is 1.0 version of the 2016 MSR-VTT dataset.",
        "url": "http://ms-multimedia-challenge.com",
        "year": "2016",
    }
    path.write_text(json.dumps({"info": info, "videos": videos, "sentences": sentences}))
    return path


@pytest.fixture
def folder(tmp_path):
    """Both files, with clips in the folders of the authors' archives."""
    write(
        tmp_path / "train_val_videodatainfo.json",
        [video(0, "train"), video(6513, "validate")],
        [
            sentence(0, 0, "a car is shown"),
            sentence(1, 6513, "people dance"),
            sentence(2, 0, "A car, driving fast."),
            sentence(3, 0, " "),
        ],
    )
    write(
        tmp_path / "test_videodatainfo.json",
        [video(7010, "test")],
        [sentence(140200, 7010, "a girl sings")],
    )
    for name in ("TrainValVideo/video0.mp4", "TestVideo/video7010.mp4"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    return tmp_path


def test_both_files_of_a_folder(folder):
    dataset = read_msrvtt(folder)
    assert dataset == read_dataset(folder)
    assert dataset.name == "msrvtt"
    assert [(e.id, e.split) for e in dataset.examples] == [
        ("video0", "train"),
        ("video6513", "val"),
        ("video7010", "test"),
    ]
    (train,) = dataset.split("train")
    assert train.captions == ("a car is shown", "A car, driving fast.")  # not the empty answer
    assert train.tokens[1] == ("a", "car", "driving", "fast")
    assert [e.path for e in dataset.examples] == [
        str(folder / "TrainValVideo" / "video0.mp4"),
        str(folder / "TrainValVideo" / "video6513.mp4"),  # missing: whoever opens it says so
        str(folder / "TestVideo" / "video7010.mp4"),
    ]


def test_one_file(folder):
    path = folder / "test_videodatainfo.json"
    assert read_dataset(path) == read_msrvtt(path)
    assert [e.id for e in read_msrvtt(path).examples] == ["video7010"]


def test_clips_in_one_folder_or_elsewhere(folder):
    (folder / "TrainValVideo").rename(folder / "videos")
    assert read_msrvtt(folder).examples[2].path == str(folder / "videos" / "video7010.mp4")
    (folder / "videos").rename(folder / "mine")
    assert read_msrvtt(folder, folder / "mine").examples[0].path == str(
        folder / "mine" / "video0.mp4"
    )
    with pytest.raises(CaptionerError, match=r"none of the first images.*video0\.mp4.*--images"):
        read_msrvtt(folder / "train_val_videodatainfo.json")


@pytest.mark.parametrize(
    ("videos", "sentences", "complaint"),
    [
        ([video(0, "train")], [], "{} has no English caption for the clip video0"),
        ([video(0, "train")], [sentence(0, 0, "...")], "{} has no English caption for the clip"),
        ([video(0, "val")], [sentence(0, 0, "a car")], "a split other than train, validate, test"),
        ([video(0, "train")] * 2, [sentence(0, 0, "a car")], "lists the image video0 2 times"),
        (
            [{"id": 0}],
            [sentence(0, 0, "a car")],
            "{} is not one of MSR-VTT's files (has an entry that lacks",
        ),
        (
            [],
            [{"video_id": "video0"}],
            'an entry that lacks "caption")',
        ),
        ([], [], "{} lists no images"),
        (3, [], "MSR-VTT's files (has an entry that is neither"),
    ],
)
def test_refuses_broken_files(folder, videos, sentences, complaint):
    path = write(folder / "train_val_videodatainfo.json", videos, sentences)
    with pytest.raises(CaptionerError) as caught:
        read_msrvtt(folder / "train_val_videodatainfo.json")
    assert complaint.format(path) in str(caught.value)


def test_refuses_a_truncated_or_missing_file(folder):
    path = folder / "test_videodatainfo.json"
    path.write_text(path.read_text()[:-40])
    with pytest.raises(CaptionerError, match=r"test_videodatainfo\.json is not JSON.*again"):
        read_msrvtt(folder)
    with pytest.raises(CaptionerError, match=r"cannot read .*videodatainfo_2017\.json"):
        read_msrvtt(folder / "videodatainfo_2017.json")
    with pytest.raises(CaptionerError, match="has neither train_val_videodatainfo"):
        read_msrvtt(folder / "TestVideo")
