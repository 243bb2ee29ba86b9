import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captioner.errors import CaptionerError
from captioner.evaluation.caption_files import complete_results, read_results, write_results


def write(path, content):
    path.write_text(json.dumps(content))
    return path


def test_reads_what_the_coco_tools_read(tmp_path):
    path = write(
        tmp_path / "results.json",
        [{"image_id": 42, "caption": "a dog", "id": 1}, {"image_id": "x.jpg", "caption": "a cat"}],
    )
    assert read_results(path) == {"42": "a dog", "x.jpg": "a cat"}


def test_the_coco_api_reads_what_is_written(tmp_path):
    from pycocotools.coco import COCO

    references = {
        "info": {},
        "images": [{"id": 42}, {"id": 7}],
        "annotations": [{"id": 1, "image_id": 42, "caption": "a dog"}],
        "type": "captions",
    }
    write(tmp_path / "references.json", references)
    write_results(tmp_path / "results.json", {"42": "a dög", "7": "a cat"})
    coco = COCO(str(tmp_path / "references.json")).loadRes(str(tmp_path / "results.json"))
    assert {a["image_id"]: a["caption"] for a in coco.anns.values()} == {42: "a dög", 7: "a cat"}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["references.json", "results.json"]


def is_trimmed(text):
    return text == text.strip() != ""


@settings(deadline=None)
@given(st.dictionaries(st.text(min_size=1).filter(is_trimmed), st.text(), min_size=1))
def test_what_is_written_is_read_again(tmp_path_factory, captions):
    path = tmp_path_factory.mktemp("results") / "results.json"
    write_results(path, {**captions, "one": "a dog"})
    kept = {image: caption if caption.strip() else "" for image, caption in captions.items()}
    assert read_results(path) == {**kept, "one": "a dog"}


def test_a_failed_write_names_the_file(tmp_path):
    with pytest.raises(CaptionerError, match="nowhere"):
        write_results(tmp_path / "nowhere" / "results.json", {"1": "a dog"})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is not JSON"),
        ('{"image_id": 1}', "an object like {image: caption}"),
        ("[1]", "entry 1, is not an object"),
        ('[{"image_id": 1}]', "entry 1, lacks caption"),
        ('[{"image_id": 1, "caption": 5}]', "entry 1, has an empty caption"),
        (r'[{"image_id": 1, "caption": "\ud800"}]', "is not JSON"),
        ('[{"path": "a.mp4", "label": "go", "probability": 0.9}]', "entry 1, lacks caption"),
        ("[]", "no captions"),
        ('[{"image_id": 1, "caption": "a"}, {"image_id": "1", "caption": "b"}]', "1 image (1)"),
    ],
)
def test_other_files_are_refused_with_their_name(tmp_path, content, said):
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(CaptionerError) as refusal:
        read_results(tmp_path / "results.json")
    assert said in str(refusal.value)
    assert "results.json" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_missing_empty_and_unknown_images_are_listed():
    with pytest.raises(CaptionerError, match=r"2 images \(b, c\), 1 of them empty"):
        complete_results({"a": "a dog", "b": " "}, ["a", "b", "c"])
    with pytest.raises(CaptionerError, match=r"1 image \(z\)"):
        complete_results({"a": "a dog", "z": "a cat"}, ["a"], allow_missing=True)
    with pytest.raises(CaptionerError, match=r"30 images \(0, .*, 9, \.\.\.\)"):
        complete_results({}, [str(number) for number in range(30)])


def test_allowed_missing_images_count_as_empty():
    captions, missing = complete_results({"b": "a dog"}, ["a", "b"], allow_missing=True)
    assert list(captions.items()) == [("a", ""), ("b", "a dog")]
    assert missing == ("a",)
