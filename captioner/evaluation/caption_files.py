"""Files of captions in the COCO results format: [{"image_id": ..., "caption": ...}, ...]."""

import json
import os
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from captioner.datasets.source import read_source
from captioner.errors import CaptionerError
from captioner.replacing import replacing

_LISTED = 10


def read_results(path: str | os.PathLike[str]) -> dict[str, str]:
    """Read captions in the COCO results format.

    Args:
        path: a JSON file with one object an image; more keys than "image_id" and "caption" may be
            there.

    Returns:
        The caption of each image id, in the order of the file; ids are text, empty captions stay.

    Raises:
        CaptionerError: the file is missing or of another kind, or an image comes more than once.

    Source: https://cocodataset.org/#format-results

    Example:
        >>> read_results("results.json")  # doctest: +SKIP
        {'391895': 'a man rides a motorcycle'}
    """
    path = Path(path)
    form = 'it needs [{"image_id": ..., "caption": ...}, ...]'
    try:
        entries = json.loads(read_source(path))
        pairs = [(str(entry["image_id"]), entry["caption"]) for entry in entries]
    except json.JSONDecodeError as error:
        raise CaptionerError(f"{path} is not JSON ({error}): {form}") from error
    except (KeyError, TypeError) as error:
        raise CaptionerError(
            f"{path} is not in the COCO results format ({type(error).__name__}: {error}): {form}"
        ) from error
    if not pairs:
        raise CaptionerError(f"{path} has no captions: {form}")
    for image, caption in pairs:
        # Half a surrogate pair, which JSON can hold, is no text.
        if not isinstance(caption, str) or any("\ud800" <= sign <= "\udfff" for sign in caption):
            raise CaptionerError(f"{path} has a caption that is no text for {image!r}: correct it")
    doubled = [image for image, times in Counter(image for image, _ in pairs).items() if times > 1]
    if doubled:
        raise CaptionerError(
            f"{path} has more than one caption for {list_ids(doubled)}: keep one of each"
        )
    return dict(pairs)


def write_results(path: str | os.PathLike[str], captions: Mapping[str, str]) -> None:
    """Write captions in the COCO results format, the whole file or nothing.

    Args:
        path: the JSON file.
        captions: the caption of each image id; ids that are whole numbers are written as such, as
            the COCO tools expect.

    Raises:
        CaptionerError: the file cannot be written.
    """
    entries = [
        {"image_id": int(image) if _is_number(image) else image, "caption": caption}
        for image, caption in captions.items()
    ]
    write_whole(path, json.dumps(entries, ensure_ascii=False, indent=0) + "\n")


def complete_results(
    results: Mapping[str, str],
    image_ids: Collection[str],
    *,
    source: str = "the results",
    allow_missing: bool = False,
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Bring results into the images' order, and refuse what would make their score another's.

    Args:
        results: the caption of each image id.
        image_ids: the images that are to be scored.
        source: the name of the results in errors.
        allow_missing: take images without a caption, or with an empty one, as captions of no words,
            which lowers the score.

    Returns:
        The caption of every image; and the images that had none.

    Raises:
        CaptionerError: results are for unknown images, or are missing or empty unless allowed.

    Example:
        >>> complete_results({"1": "a dog"}, ["1", "2"], allow_missing=True)
        ({'1': 'a dog', '2': ''}, ('2',))
    """
    known = set(image_ids)
    unknown = [image for image in results if image not in known]
    if unknown:
        raise CaptionerError(
            f"{source} has captions for images without references, {list_ids(unknown)}: "
            "remove them, or give the references (and split) they belong to"
        )
    missing = [image for image in image_ids if not results.get(image, "").strip()]
    if missing and not allow_missing:
        kinds = [image for image in missing if image in results]
        empty = f", {len(kinds)} of them empty ones" if kinds else ""
        raise CaptionerError(
            f"{source} has no caption for {list_ids(missing)}{empty}: "
            "add them, or count them as empty with --allow-missing"
        )
    return {image: results.get(image, "").strip() for image in image_ids}, tuple(missing)


def list_ids(image_ids: Collection[str]) -> str:
    """Name images for an error: how many, and the first few."""
    first = ", ".join(list(image_ids)[:_LISTED])
    number = f"{len(image_ids)} image{'s' if len(image_ids) > 1 else ''}"
    return f"{number} ({first}{', ...' if len(image_ids) > _LISTED else ''})"


def write_whole(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file, the whole of it or nothing.

    Args:
        path: the file; its folder exists.
        text: its content.

    Raises:
        CaptionerError: the file cannot be written.
    """
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _is_number(image: str) -> bool:
    return image.isascii() and image.isdigit() and str(int(image)) == image
