"""The index of a feature store: what is in it, and of what it was made."""

import json
from pathlib import Path
from typing import Any

from captioner.datasets.caption_dataset import CaptionDataset
from captioner.errors import CaptionerError
from captioner.replacing import replacing

FORMAT = 1


def read_index(path: Path) -> dict[str, Any]:
    """Reads an index.

    Raises:
        CaptionerError: If there is none, or it is broken or of another version.
    """
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CaptionerError(
            f"{path}: there is no feature store here; make it with `captioner prepare`"
        ) from None
    except ValueError as error:
        raise CaptionerError(
            f"{path}: this index is broken ({error}); delete the folder and run "
            "`captioner prepare` again"
        ) from error
    if index.get("format") != FORMAT:
        raise CaptionerError(
            f"{path}: this feature store has format {index.get('format')}, this version reads "
            f"{FORMAT}; delete the folder and run `captioner prepare` again"
        )
    return index


def write_index(path: Path, index: dict[str, Any]) -> None:
    """Writes an index, whole or not at all."""
    with replacing(path) as partial:
        partial.write_text(json.dumps(index), encoding="utf-8")


def check_index(
    index: dict[str, Any],
    dataset: CaptionDataset,
    encoder_fingerprint: str,
    folder: Path,
    view: dict[str, float] | None = None,
) -> None:
    """Raises CaptionerError unless the store was made of this data set by this encoder.

    And of this view of it, None for whole pictures.
    """
    expected = {"dataset": dataset.fingerprint(), "encoder": encoder_fingerprint, "view": view}
    for key, value in expected.items():
        if index.get(key) != value:  # stores made before there were views do not name one
            raise CaptionerError(
                f"{folder}: this feature store was made with another {key}; choose another folder, "
                "or delete this one and run `captioner prepare` again"
            )
