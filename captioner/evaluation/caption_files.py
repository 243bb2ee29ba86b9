"""A system's captions, one an image: their files, and the images that they are about."""

import json
import os
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from captioner.errors import CaptionerError
from captioner.evaluation.caption_rows import read_caption_rows
from captioner.evaluation.matching import match_ids
from captioner.replacing import replacing

_LISTED = 10
_KINDS = (
    'give [{"image_id": ..., "caption": ...}, ...], {image: caption}, JSON Lines, a table with '
    "image and caption, or what `caption` writes"
)


def read_results(path: str | os.PathLike[str]) -> dict[str, str]:
    """Read the captions that a system gave images.

    Args:
        path: the COCO results format, [{"image_id": ..., "caption": ...}, ...], what `caption`
            writes, or any other file of `read_caption_rows`.

    Returns:
        The caption of each image id, in the order of the file; ids are text; an image whose row is
        empty, or has an error, has an empty caption.

    Raises:
        CaptionerError: the file is missing or of another kind, or an image comes more than once.

    Source: https://cocodataset.org/#format-results

    Example:
        >>> read_results("results.json")  # doctest: +SKIP
        {'391895': 'a man rides a motorcycle'}
    """
    path = Path(path)
    rows = read_caption_rows(path)
    for row in rows:
        if row.fault and (row.captions or not row.image):
            raise CaptionerError(f"{row.place} {row.fault}")
    if not any(row.captions for row in rows):
        told = f"{rows[0].place} {rows[0].fault}; " if rows and rows[0].fault else ""
        raise CaptionerError(f"{told}{path} has no captions: {_KINDS}")
    times = Counter(row.image for row in rows)
    doubled = [row.image for row in rows if len(row.captions) > 1]
    doubled += [image for image, count in times.items() if count > 1]
    if doubled:
        raise CaptionerError(
            f"{path} has more than one caption for {list_ids(dict.fromkeys(doubled))}: keep one of "
            "each; of a clip, `caption --whole` gives one"
        )
    return {row.image: row.captions[0] if row.captions else "" for row in rows}


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

    Ids may be written with folders or without a suffix, see `match_ids`.

    Args:
        results: the caption of each image id.
        image_ids: the images that are to be scored.
        source: the name of the results in errors.
        allow_missing: take images without a caption, or with an empty one, as captions of no words,
            which lowers the score.

    Returns:
        The caption of every image, by the ids of `image_ids`; and the images that had none.

    Raises:
        CaptionerError: results are for unknown images, or are missing or empty unless allowed.

    Example:
        >>> complete_results({"1": "a dog"}, ["1", "2"], allow_missing=True)
        ({'1': 'a dog', '2': ''}, ('2',))
    """
    found = match_ids(results, image_ids)
    unknown = [image for image in results if image not in found]
    if unknown:
        raise CaptionerError(
            f"{source} has captions for images without references, {list_ids(unknown)}; the "
            f"references are of images such as {next(iter(image_ids), 'none')}: remove those "
            "captions, or give the references (and split) they belong to"
        )
    given = {found[image]: caption for image, caption in results.items()}
    missing = [image for image in image_ids if not given.get(image, "").strip()]
    if missing and not allow_missing:
        empty = sum(image in given for image in missing)
        raise CaptionerError(
            f"{source} has no caption for {list_ids(missing)}"
            f"{f', {empty} of them empty ones' if empty else ''}; it has captions of images such "
            f"as {next(iter(results), 'none')}: add what is missing, or count it as empty with "
            "--allow-missing"
        )
    return {image: given.get(image, "").strip() for image in image_ids}, tuple(missing)


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
