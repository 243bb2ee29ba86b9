"""Files that come with a request: temporary ones, which are gone with it."""

import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from anyio.to_thread import run_sync
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

MOST_FILES = 100  # in a request


@dataclass(frozen=True)
class Upload:
    """A file of a request.

    Attributes:
        name: That its sender has given it, without folders; only to be shown.
        path: Where it is for now.
    """

    name: str
    path: Path


@asynccontextmanager
async def receive_uploads(request: Request) -> AsyncIterator[tuple[list[Upload], dict[str, str]]]:
    """Receive a form (multipart/form-data) for the length of a `with` block.

    Args:
        request: Of which each part with a file name is a file, whatever the part is called.

    Yields:
        The files, and the other fields.

    Raises:
        HTTPException: The form is damaged, or has no file.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise HTTPException(415, "send files as a form: curl -F file=@dog.jpg")
    with tempfile.TemporaryDirectory(prefix="captioner-") as folder:
        async with request.form(max_files=MOST_FILES, max_fields=20) as form:
            uploads: list[Upload] = []
            fields: dict[str, str] = {}
            for key, value in form.multi_items():
                if isinstance(value, UploadFile):
                    name = _plain_name(value.filename or "")
                    path = Path(folder) / f"{len(uploads)}{_suffix(name)}"
                    await run_sync(_keep, value, path)
                    uploads.append(Upload(name, path))
                else:
                    fields[key] = value
        if not uploads:
            raise HTTPException(400, "no file: send one as a form: curl -F file=@dog.jpg")
        yield uploads, fields


def _keep(upload: UploadFile, path: Path) -> None:
    with path.open("wb") as file:
        shutil.copyfileobj(upload.file, file)


def _plain_name(name: str) -> str:
    r"""Return the last part of a name that a sender gives.

    Example:
        >>> _plain_name("..\\..\\dog.jpg"), _plain_name("a/\n"), _plain_name("..")
        ('dog.jpg', 'a', 'file')
    """
    printable = "".join(sign for sign in name.replace("\\", "/") if sign.isprintable())
    last = PurePosixPath(printable).name
    return last if last.strip(". ") else "file"


def _suffix(name: str) -> str:
    """Return a suffix, which helps to tell RAW files and videos that begin unusually."""
    found = re.search(r"\.[a-z0-9]{1,5}$", name.lower())
    return found[0] if found else ""
