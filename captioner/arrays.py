"""Types of the arrays that are passed between modules, by shape and dtype.

Tests check them: with `CAPTIONER_CHECK_ARRAYS=1` each is a type of jaxtyping, and beartype checks
the arguments at runtime. Otherwise, and for mypy, each is `np.ndarray` and costs nothing.

Letters: B clips, T frames, H and W pixels, P locations, C channels, K hypotheses, L tokens of a
sentence, M best next tokens, V tokens of the vocabulary, N any number.
"""

import os
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING or not os.environ.get("CAPTIONER_CHECK_ARRAYS"):
    Pixels = np.ndarray  # uint8 (H, W, 3), RGB
    Frames = np.ndarray  # uint8 (T, H, W, 3), RGB
    FrameBatch = np.ndarray  # uint8 (B, T, H, W, 3), RGB
    Times = np.ndarray  # (T,), seconds
    ClipFeatures = np.ndarray  # float (T, P, C)
    Features = np.ndarray  # float (B, T, P, C)
    FrameMask = np.ndarray  # bool (B, T), False for padding frames
    TokenIds = np.ndarray  # int (B, K), the last token of each hypothesis
    BestIds = np.ndarray  # int (B, K, M), the best next tokens, best first
    BestLogProbs = np.ndarray  # float (B, K, M), of BestIds
    LogProbs = np.ndarray  # float (B, K, V), of all tokens
    Penalty = np.ndarray  # float (V,), added to the log-probabilities
    Attention = np.ndarray  # float (B, K, T, P)
    Rows = np.ndarray  # int (R,), indices of clips
    Tokens = np.ndarray  # int (B, K, L), the tokens of each hypothesis
    Cases = np.ndarray  # int (3, N), clip, hypothesis and token of each case
    Totals = np.ndarray  # float (B, K), log-probability of each hypothesis
    Scores = np.ndarray  # float (B,)
    Live = np.ndarray  # bool (B,)
    WordAttention = np.ndarray  # float (L, T, P)
    StoredFeatures = np.ndarray  # float16 (T, P, C) or (T, H, W, C)
else:
    from jaxtyping import Bool, Float, Float16, Int, Num, UInt8

    Pixels = UInt8[np.ndarray, "H W 3"]
    Frames = UInt8[np.ndarray, "T H W 3"]
    FrameBatch = UInt8[np.ndarray, "B T H W 3"]
    Times = Num[np.ndarray, " T"]
    ClipFeatures = Float[np.ndarray, "T P C"]
    Features = Float[np.ndarray, "B T P C"]
    FrameMask = Bool[np.ndarray, "B T"]
    TokenIds = Int[np.ndarray, "B K"]
    BestIds = Int[np.ndarray, "B K M"]
    BestLogProbs = Float[np.ndarray, "B K M"]
    LogProbs = Float[np.ndarray, "B K V"]
    Penalty = Float[np.ndarray, " V"]
    Attention = Float[np.ndarray, "B K T P"]
    Rows = Int[np.ndarray, " R"]
    Tokens = Int[np.ndarray, "B K L"]
    Cases = Int[np.ndarray, "3 N"]
    Totals = Float[np.ndarray, "B K"]
    Scores = Float[np.ndarray, " B"]
    Live = Bool[np.ndarray, " B"]
    WordAttention = Float[np.ndarray, "L T P"]
    StoredFeatures = Float16[np.ndarray, "T P *C"]
