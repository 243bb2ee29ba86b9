"""An ensemble of networks, whose predictions are averaged."""

from collections.abc import Sequence
from typing import Any

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
from captioner.engines.engine import Engine, State


class EnsembleEngine(Engine):
    """Engine that predicts each token by the mean of the probabilities of several networks.

    The features of the different encoders are concatenated along the channels.

    Args:
        engines: One engine for each network, all with the same words.
        encoders: For each network, the index of the first network with an equal encoder, so that
            a shared encoder runs only once.

    Source: Vinyals et al. 2015, https://arxiv.org/abs/1411.4555, section 4.3.2.
    """

    def __init__(self, engines: Sequence[Engine], encoders: Sequence[int]) -> None:
        self.image_size = engines[0].image_size
        self._engines = engines
        self._encoders = encoders
        self._different = sorted(set(encoders))

    def encode(self, frames: FrameBatch) -> Features:
        """See `Engine`; C is the sum over the different encoders."""
        encoded = [self._engines[number].encode(frames) for number in self._different]
        return np.concatenate(encoded, axis=-1)

    def begin(self, features: Features, frame_mask: FrameMask) -> tuple[Any, State]:
        """See `Engine`."""
        parts = np.split(features, len(self._different), axis=-1)
        features_of = dict(zip(self._different, parts, strict=True))
        begun = [
            engine.begin(np.ascontiguousarray(features_of[encoder]), frame_mask)
            for engine, encoder in zip(self._engines, self._encoders, strict=True)
        ]
        self._sizes = [len(state) for _, state in begun]
        return [memory for memory, _ in begun], tuple(s for _, state in begun for s in state)

    def predict(
        self, token_ids: TokenIds, state: State, memory: Any
    ) -> tuple[LogProbs, State, Attention | None]:
        """See `Engine`; the attention is the mean over the networks that have one."""
        rows: list[np.ndarray] = []
        new_state: State = ()
        attentions = []
        for engine, part, size in zip(self._engines, memory, self._sizes, strict=True):
            own, state = state[:size], state[size:]
            row, own, attention = engine.predict(token_ids, own, part)
            rows.append(row)
            new_state += own
            attentions += [] if attention is None else [attention]
        mean = np.logaddexp.reduce(rows) - np.float32(np.log(len(rows)))  # (B, K, V)
        return mean, new_state, np.mean(attentions, axis=0) if attentions else None

    def step(
        self, token_ids: TokenIds, state: State, memory: Any, penalty: Penalty, count: int
    ) -> tuple[BestIds, BestLogProbs, State, Attention | None]:
        """See `Engine`."""
        mean, new_state, attention = self.predict(token_ids, state, memory)
        mean = mean + penalty
        best = np.argsort(-mean, axis=2, kind="stable")[:, :, :count].astype(np.int32)
        return best, np.take_along_axis(mean, best, axis=2), new_state, attention

    def select(self, memory: Any, rows: Rows) -> Any:
        """See `Engine`."""
        return [
            engine.select(part, rows) for engine, part in zip(self._engines, memory, strict=True)
        ]
