"""Files of a system's captions, one per image, and their images."""

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
    "image and caption, or a report of `caption`"
)


def read_results(path: str | os.PathLike[str]) -> dict[str, str]:
    """Read the captions of a system.

    Args:
        path: Path of a file in the COCO results format, [{"image_id": ..., "caption": ...}, ...], a
            report of `caption`, or any other file that `read_caption_rows` reads.

    Returns:
        The caption of each image id, in the order of the file. Ids are text. An image with an empty
        row, or with an error, has an empty caption.

    Raises:
        CaptionerError: If the file is missing or in another format, or an image occurs more than
            once.

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
            "each (`caption --whole` writes one for a clip)"
        )
    return {row.image: row.captions[0] if row.captions else "" for row in rows}


def write_results(path: str | os.PathLike[str], captions: Mapping[str, str]) -> None:
    """Write captions in the COCO results format, atomically.

    Args:
        path: Path of the JSON file.
        captions: Caption of each image id; ids that are whole numbers are written as numbers, as
            the COCO tools expect.

    Raises:
        CaptionerError: If the file cannot be written.
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
    """Sort results in the order of the images, and refuse unknown images and missing captions.

    Ids may be written with folders or without a suffix, see `match_ids`.

    Args:
        results: Caption of each image id.
        image_ids: Ids of the images to score.
        source: Name of the results in errors.
        allow_missing: If True, score images with a missing or empty caption as captions without
            words, which lowers the score.

    Returns:
        The caption of every image, by the ids of `image_ids`; and the images without a caption.

    Raises:
        CaptionerError: If results are for unknown images, or (unless allowed) missing or empty.

    Example:
        >>> complete_results({"1": "a dog"}, ["1", "2"], allow_missing=True)
        ({'1': 'a dog', '2': ''}, ('2',))
    """
    found = match_ids(results, image_ids)
    unknown = [image for image in results if image not in found]
    if unknown:
        raise CaptionerError(
            f"{source} has captions for images without references, {list_ids(unknown)}; the "
            f"references are for images such as {next(iter(image_ids), 'none')}: remove those "
            "captions, or give the references (and the split) of these images"
        )
    given = {found[image]: caption for image, caption in results.items()}
    missing = [image for image in image_ids if not given.get(image, "").strip()]
    if missing and not allow_missing:
        empty = sum(image in given for image in missing)
        raise CaptionerError(
            f"{source} has no caption for {list_ids(missing)}"
            f"{f', {empty} of them empty ones' if empty else ''}; it has captions of images such "
            f"as {next(iter(results), 'none')}: add the missing captions, or count them as empty "
            "with --allow-missing"
        )
    return {image: given.get(image, "").strip() for image in image_ids}, tuple(missing)


def list_ids(image_ids: Collection[str]) -> str:
    """Format image ids for an error: their number, and the first few."""
    first = ", ".join(list(image_ids)[:_LISTED])
    number = f"{len(image_ids)} image{'s' if len(image_ids) > 1 else ''}"
    return f"{number} ({first}{', ...' if len(image_ids) > _LISTED else ''})"


def write_whole(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file atomically.

    Args:
        path: Path of the file, in an existing folder.
        text: Content of the file.

    Raises:
        CaptionerError: If the file cannot be written.
    """
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _is_number(image: str) -> bool:
    return image.isascii() and image.isdigit() and str(int(image)) == image
