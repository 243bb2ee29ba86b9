"""What moves in a clip: features without that which stays."""

from typing import Any

from keras import ops

MOTIONS = ("none", "median", "difference")


def motion_features(features: Any, frame_mask: Any, kind: str) -> tuple[Any, Any]:
    """Takes away from features what tells the place and the person, not the action.

    Args:
        features: float (B, T, ...).
        frame_mask: bool (B, T), False for padding frames, which come last.
        kind: "none" leaves them as they are; "median" subtracts the median over the clip;
            "difference" subtracts from each frame the one before.

    Returns:
        Features (B, T, ...) and mask (B, T); of differences there is one less, T - 1.

    Example:
        >>> import numpy as np
        >>> features = np.array([[1.0, 5.0, 2.0]])  # (B, T)
        >>> moving, _ = motion_features(features, np.ones((1, 3), bool), "median")
        >>> np.asarray(moving).tolist()
        [[-1.0, 3.0, 0.0]]
    """
    if kind == "difference":
        return features[:, 1:] - features[:, :-1], frame_mask[:, 1:]
    if kind == "median":
        return features - _median(features, frame_mask), frame_mask
    return features, frame_mask


def _median(features: Any, frame_mask: Any) -> Any:
    """The median over the frames that are no padding, (B, 1, ...)."""
    mask = frame_mask
    for _ in features.shape[2:]:
        mask = ops.expand_dims(mask, -1)  # (B, T, 1, ...)
    ordered = ops.sort(ops.where(mask, features, ops.full_like(features, 3e38)), axis=1)
    count = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)  # (B, 1, ...)
    middles = ops.concatenate([(count - 1) // 2, count // 2], axis=1)  # (B, 2, ...)
    middles = ops.broadcast_to(middles, (*ops.shape(middles)[:2], *ops.shape(features)[2:]))
    return ops.mean(ops.take_along_axis(ordered, middles, axis=1), axis=1, keepdims=True)
