"""Reader of Flickr8k as its authors publish it: a file of captions and three lists of images."""

import os
from pathlib import Path

from captioner.datasets.dataset import Dataset, Example
from captioner.datasets.source import caption_words, read_source, with_images
from captioner.errors import CaptionerError

TOKEN_FILE = "Flickr8k.token.txt"
SPLIT_FILES = {
    "train": "Flickr_8k.trainImages.txt",
    "val": "Flickr_8k.devImages.txt",
    "test": "Flickr_8k.testImages.txt",
}
# The second is the folder in the authors' archive, in their spelling.
_IMAGE_FOLDERS = ("images", "Flicker8k_Dataset", "Images")


def read_flickr8k(
    folder: str | os.PathLike[str], images_dir: str | os.PathLike[str] | None = None
) -> Dataset:
    """Read Flickr8k from `Flickr8k.token.txt` and `Flickr_8k.{train,dev,test}Images.txt`.

    Captions of images that are not in any list are left out, as in the literature; among them are
    those of `2258277193_586949ec62.jpg.1`, a name without an image.

    Args:
        folder: Folder of the four text files.
        images_dir: Folder of the images; by default `images`, `Flicker8k_Dataset` or `Images` in
            `folder`.

    Returns:
        The data set "flickr8k" with splits "train", "val" (the authors' "dev") and "test", in the
        order of the lists; image ids are file names.

    Raises:
        CaptionerError: If a file is missing or a line malformed, a listed image has no captions, or
            the images are not found.

    Source: Hodosh, Young and Hockenmaier 2013, "Framing Image Description as a Ranking Task".

    Example:
        >>> read_flickr8k("flickr8k").split("test")  # doctest: +SKIP
    """
    folder = Path(folder)
    if images_dir is None:
        found = [folder / name for name in _IMAGE_FOLDERS if (folder / name).is_dir()]
        images_dir = found[0] if found else folder / _IMAGE_FOLDERS[0]
    captions = read_token_file(folder / TOKEN_FILE)
    examples = []
    for split, list_name in SPLIT_FILES.items():
        for image_id in read_source(folder / list_name).split():
            if image_id not in captions:
                raise CaptionerError(
                    f"{folder / list_name} lists {image_id}, "
                    f"which has no captions in {TOKEN_FILE}: download both again"
                )
            texts = captions[image_id]
            place = f"{folder / TOKEN_FILE}, image {image_id},"
            examples.append(
                Example(
                    id=image_id,
                    path=str(Path(images_dir) / image_id),
                    captions=tuple(texts),
                    tokens=tuple(caption_words(text, place) for text in texts),
                    split=split,
                )
            )
    return with_images("flickr8k", examples, folder / TOKEN_FILE)


def read_token_file(path: Path) -> dict[str, list[str]]:
    """Return the captions of each image of a file of lines `image#number<tab>caption`.

    Raises:
        CaptionerError: If the file is missing or a line malformed.
    """
    captions: dict[str, list[str]] = {}
    for number, line in enumerate(read_source(path).splitlines(), start=1):
        if not line.strip():
            continue
        key, tab, text = line.partition("\t")
        image_id, hash_, _ = key.rpartition("#")
        if not (tab and hash_):
            raise CaptionerError(
                f'{path}, line {number}, is not "image#number<tab>caption": correct that line'
            )
        captions.setdefault(image_id, []).append(text)
    return captions
