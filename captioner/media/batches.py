"""Pictures decoded by threads, ahead of the network that reads them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from captioner.errors import CaptionerError
from captioner.media.image import load_image


@dataclass(frozen=True)
class ImageBatch:
    """Some of the pictures of a longer list.

    Attributes:
        indices: Where each picture of `images` stands in the list.
        images: uint8 (B, H, W, 3); B may be less than asked for, even 0.
        errors: For each position of the list that could not be read, why.
    """

    indices: Sequence[int]
    images: np.ndarray
    errors: dict[int, str]


def load_batches(
    sources: Iterable[Any],
    size: tuple[int, int],
    batch_size: int,
    workers: int = 4,
    load: Callable[..., np.ndarray] = load_image,
) -> Iterator[ImageBatch]:
    """Yields batches of pictures in the order of `sources`, while the next ones are decoded.

    At most two batches are held at a time, so memory does not grow with the list.

    Args:
        sources: What `load_image` takes: paths, bytes, PIL images, arrays.
        size: Height and width to which every picture is resized, in pixels.
        batch_size: Sources in a batch, the unreadable ones included.
        workers: Decoding threads.
        load: What reads one source to a size, and raises CaptionerError where it cannot.

    Example:
        >>> white = np.full((4, 4, 3), 255, np.uint8)
        >>> [batch.images.shape for batch in load_batches([white] * 3, (2, 2), 2)]
        [(2, 2, 2, 3), (1, 2, 2, 3)]
    """
    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
        iterator = enumerate(sources)
        pending: deque[list[tuple[int, Future[np.ndarray]]]] = deque()

        def submit() -> None:
            chunk = [
                (index, pool.submit(load, source, size=size))
                for index, source in islice(iterator, batch_size)
            ]
            if chunk:
                pending.append(chunk)

        submit()
        submit()
        while pending:
            yield _gather(pending.popleft(), size)
            submit()


def _gather(chunk: list[tuple[int, "Future[np.ndarray]"]], size: tuple[int, int]) -> ImageBatch:
    indices, images, errors = [], [], {}
    for index, future in chunk:
        try:
            images.append(future.result())
            indices.append(index)
        except CaptionerError as error:
            errors[index] = str(error)
    stacked = np.stack(images) if images else np.zeros((0, *size, 3), np.uint8)
    return ImageBatch(indices, stacked, errors)
