"""Units of work whose worker dies again and again, and the file that is to blame."""

from captioner.cluster.object_store import Folder

_FOLDER = "_attempts"
MOST = 2  # deaths that may have had another reason, such as a lost machine


class Attempts:
    """Marks in the folder of a batch, each made before something is tried and deleted after it.

    What a dead worker leaves tells the next one where it died.

    Args:
        folder: Of the batch.
        worker: A name for the worker, which no other one has.

    Example:
        >>> import tempfile
        >>> attempts = Attempts(Folder(tempfile.mkdtemp()), "one")
        >>> attempts.begin("12ab"), attempts.begin("12ab"), attempts.begin("12ab")
        (0, 1, 2)
        >>> attempts.end("12ab")
        >>> attempts.begin("12ab")
        0
    """

    def __init__(self, folder: Folder, worker: str) -> None:
        self._folder = folder
        self._worker = worker
        self._count = 0

    def begin(self, task: str) -> int:
        """Mark that a task is tried, and return how often it was before without coming to an end.

        Args:
            task: Its name, letters and digits.
        """
        before = len(self._marks(task))
        self._count += 1
        self._folder.write(f"{_place(task)}/{task}.{self._worker}-{self._count}", b"")
        return before

    def end(self, task: str) -> None:
        """Delete all marks of a task, which has come to an end."""
        for name in self._marks(task):
            self._folder.delete(f"{_place(task)}/{name}")

    def _marks(self, task: str) -> list[str]:
        return [n for n in self._folder.names(_place(task)) if n.startswith(f"{task}.")]


def _place(task: str) -> str:
    """Return one of 256 folders: so many workers at once that a listing stays short."""
    return f"{_FOLDER}/{task[:2]}"
