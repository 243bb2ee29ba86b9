"""What every engine does: it runs the network for whoever searches for sentences."""

from typing import Any, Protocol, runtime_checkable

import numpy as np

from captioner.arrays import (
    Attention,
    BestIds,
    BestLogProbs,
    Features,
    FrameBatch,
    FrameMask,
    LogProbs,
    Penalty,
    Rows,
    TokenIds,
)

# TensorFlow takes no slashes in the names of inputs.
_SLASH = "__"


def input_of_weight(weight: str) -> str:
    """Return the name of the input that takes a weight.

    Example:
        >>> input_of_weight("encoder/block1_conv1/kernel")
        'encoder__block1_conv1__kernel'
    """
    return weight.replace("/", _SLASH)


def weight_of_input(name: str) -> str | None:
    """Return the weight that an input takes, or None if it takes something else.

    Example:
        >>> weight_of_input("encoder__block1_conv1__kernel"), weight_of_input("frames")
        ('encoder/block1_conv1/kernel', None)
    """
    return name.replace(_SLASH, "/") if _SLASH in name else None


State = tuple[np.ndarray, ...]


@runtime_checkable
class Engine(Protocol):
    """Runs an encoder and a decoder; NumPy arrays go in and come out.

    Attributes:
        image_size: Height and width of the frames, in pixels.
    """

    image_size: tuple[int, int]

    def encode(self, frames: FrameBatch) -> Features:
        """uint8 frames (B, T, H, W, 3), RGB, to features, float32 (B, T, P, C)."""
        ...

    def begin(self, features: Features, frame_mask: FrameMask) -> tuple[Any, State]:
        """Read the features of B clips.

        Args:
            features: float32 (B, T, P, C).
            frame_mask: bool (B, T), False for padding frames.

        Returns:
            The memory, in the engine's own form, and the first state, each (B, 1, units).
        """
        ...

    def step(
        self, token_ids: TokenIds, state: State, memory: Any, penalty: Penalty, count: int
    ) -> tuple[BestIds, BestLogProbs, State, Attention | None]:
        """Return the best next words of K sentences for each of B clips.

        Args:
            token_ids: int32 (B, K), the word before.
            state: Each (B, K, units).
            memory: As `begin` or `select` gave it.
            penalty: float32 (V,), added to the log-probabilities.
            count: M, words to return, at most V.

        Returns:
            The words, int32 (B, K, M), the best first, of equals the lower; their
            log-probabilities with the penalty, float32 (B, K, M); the new state; the attention,
            float32 (B, K, T, P), or None.
        """
        ...

    def predict(
        self, token_ids: TokenIds, state: State, memory: Any
    ) -> tuple[LogProbs, State, Attention | None]:
        """Return the log-probabilities of all words, which are more to hand over than the best.

        Args:
            token_ids: As for `step`.
            state: As for `step`.
            memory: As for `step`.

        Returns:
            float32 (B, K, V), the new state, and the attention as of `step`.
        """
        ...

    def select(self, memory: Any, rows: Rows) -> Any:
        """Return the memory of some of the clips alone, in the order of `rows`, int (R,)."""
        ...
