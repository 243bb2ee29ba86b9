"""The interface of all engines, which run the network for the search."""

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

# TensorFlow does not allow slashes in the names of inputs.
_SLASH = "__"


def input_of_weight(weight: str) -> str:
    """Return the name of the input for a weight.

    Example:
        >>> input_of_weight("encoder/block1_conv1/kernel")
        'encoder__block1_conv1__kernel'
    """
    return weight.replace("/", _SLASH)


def weight_of_input(name: str) -> str | None:
    """Return the weight of an input, or None if the input is not a weight.

    Example:
        >>> weight_of_input("encoder__block1_conv1__kernel"), weight_of_input("frames")
        ('encoder/block1_conv1/kernel', None)
    """
    return name.replace(_SLASH, "/") if _SLASH in name else None


State = tuple[np.ndarray, ...]


@runtime_checkable
class Engine(Protocol):
    """Interface to an encoder and a decoder, with NumPy arrays as inputs and outputs.

    Attributes:
        image_size: Height and width of the frames, in pixels.
    """

    image_size: tuple[int, int]

    def encode(self, frames: FrameBatch) -> Features:
        """Encode frames, uint8 (B, T, H, W, 3), RGB, as features, float32 (B, T, P, C)."""
        ...

    def begin(self, features: Features, frame_mask: FrameMask) -> tuple[Any, State]:
        """Read the features of B clips.

        Args:
            features: float32 (B, T, P, C).
            frame_mask: bool (B, T), False for padding frames.

        Returns:
            The memory, in the engine's own form, and the initial state, each (B, 1, units).
        """
        ...

    def step(
        self, token_ids: TokenIds, state: State, memory: Any, penalty: Penalty, count: int
    ) -> tuple[BestIds, BestLogProbs, State, Attention | None]:
        """Return the best next tokens of K sentences for each of B clips.

        Args:
            token_ids: Previous tokens, int32 (B, K).
            state: State, each (B, K, units).
            memory: Memory from `begin` or `select`.
            penalty: Values added to the log-probabilities, float32 (V,).
            count: Number of tokens to return, M, at most V.

        Returns:
            The tokens, int32 (B, K, M), the best first, and among equals the lower first; their
            log-probabilities with the penalty, float32 (B, K, M); the new state; the attention,
            float32 (B, K, T, P), or None.
        """
        ...

    def predict(
        self, token_ids: TokenIds, state: State, memory: Any
    ) -> tuple[LogProbs, State, Attention | None]:
        """Return the log-probabilities of all tokens, a larger result than that of `step`.

        Args:
            token_ids: See `step`.
            state: See `step`.
            memory: See `step`.

        Returns:
            Log-probabilities, float32 (B, K, V), the new state, and the attention as for `step`.
        """
        ...

    def select(self, memory: Any, rows: Rows) -> Any:
        """Return the memory of a subset of the clips, in the order of `rows`, int (R,)."""
        ...
