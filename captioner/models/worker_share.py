"""Weighted means in a training on several workers."""

from typing import Any

import keras


def share_of_weight(weights: Any) -> Any:
    """Return the weight of this worker's targets over the mean weight of all workers' targets.

    A weighted mean times this is averaged over the workers to the weighted mean of the whole batch.
    It is 1 for a single worker, and on JAX, whose arrays hold the whole batch.

    Args:
        weights: Weights of this worker's targets, any shape.

    Returns:
        A scalar.

    Example:
        >>> share_of_weight([1.0, 1.0, 0.0])
        1.0
    """
    if keras.backend.backend() != "tensorflow":
        return 1.0
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return 1.0
    own = tf.reduce_sum(tf.cast(weights, tf.float32))
    return own / context.all_reduce(tf.distribute.ReduceOp.MEAN, own)
