"""Tone mapping of HDR video to the range and colours of SDR, which VGG16 was trained on."""

from functools import lru_cache

import numpy as np

PQ, HLG = 16, 18  # transfer characteristics of ISO/IEC 23091-2
_PEAK = 1000.0  # cd/m2; nominal peak of HLG, and the usual one of films mastered in PQ
_WHITE = 203.0  # cd/m2; reference white of HDR (ITU-R BT.2408), which becomes that of SDR
_GAMMA = 2.4  # of an SDR display (ITU-R BT.1886)
_HLG_GAMMA = 1.2  # system gamma of HLG at 1000 cd/m2
# ITU-R BT.2087, linear BT.2020 to BT.709
_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)
_LUMINANCE = np.array([0.2627, 0.6780, 0.0593], np.float32)  # of BT.2020
_ROWS = 256  # converted at once, which bounds the memory for large frames

_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128  # SMPTE ST 2084
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32


def tone_map(image: np.ndarray, transfer: int) -> np.ndarray:
    """Convert a frame of HDR video to SDR.

    Luminance up to about half of reference white stays as it is; above, it is compressed so that
    1000 cd/m2 becomes white, by the curve of ITU-R BT.2390-8, section 5.4.1, on the largest
    channel, which keeps the hue.

    Args:
        image: Non-linear BT.2020 RGB, uint16 (H, W, 3).
        transfer: `PQ` or `HLG`.

    Returns:
        BT.709 RGB, uint8 (H, W, 3).

    Example:
        >>> white = np.full((1, 1, 3), 0.5807 * 65535, np.uint16)  # 203 cd/m2 in PQ
        >>> tone_map(white, PQ)[0, 0].tolist(), tone_map(white // 2, PQ)[0, 0].tolist()
        ([230, 230, 230], [69, 69, 69])
    """
    parts = [
        _map_rows(image[first : first + _ROWS], transfer) for first in range(0, len(image), _ROWS)
    ]
    return np.concatenate(parts)


def _map_rows(image: np.ndarray, transfer: int) -> np.ndarray:
    light = _linear(transfer)[image]  # (H, W, 3); in cd/m2, but for HLG of the scene
    if transfer == HLG:
        scene = light @ _LUMINANCE
        light *= _PEAK * np.power(scene, _HLG_GAMMA - 1)[..., np.newaxis]
    largest = np.maximum(light.max(-1), 1e-4)
    light *= (_compress(largest) / largest / _WHITE)[..., np.newaxis]
    shown = np.clip(light @ _TO_BT709.T, 0, 1) ** (1 / _GAMMA)
    return np.rint(shown * 255).astype(np.uint8)


@lru_cache(maxsize=2)
def _linear(transfer: int) -> np.ndarray:
    """Return the light for each value of a channel, float32 (65536,)."""
    signal = np.linspace(0, 1, 2**16)
    if transfer == PQ:
        return _from_pq(signal).astype(np.float32)
    # The inverse of HLG's OETF (ITU-R BT.2100, table 5).
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    light = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return light.astype(np.float32)


def _from_pq(signal: np.ndarray) -> np.ndarray:
    power = signal ** (1 / _M2)
    light: np.ndarray = (np.maximum(power - _C1, 0) / (_C2 - _C3 * power)) ** (1 / _M1) * 10000
    return light


def _to_pq(light: np.ndarray | float) -> np.ndarray:
    power = (np.asarray(light) / 10000) ** _M1
    signal: np.ndarray = ((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2
    return signal


def _compress(light: np.ndarray) -> np.ndarray:
    """Return light of at most reference white for light of at most the peak."""
    peak = _to_pq(_PEAK)
    level = np.minimum(_to_pq(light) / peak, 1)
    most = _to_pq(_WHITE) / peak
    knee = 1.5 * most - 0.5
    t = np.maximum(level - knee, 0) / (1 - knee)
    above = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (3 * t**2 - 2 * t**3) * most
    )
    return _from_pq(np.where(level < knee, level, above) * peak)
