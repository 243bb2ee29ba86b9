"""The processes of a training: each takes a share of every batch, and one of them writes.

TensorFlow's MultiWorkerMirroredStrategy and JAX through keras.distribution.DataParallel exchange
gradients. Both read from the environment who takes part, as their users know them: TF_CONFIG, or
KERAS_DISTRIBUTION_JOB_ADDRESSES, _NUM_PROCESSES and _PROCESS_ID.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, partial
from typing import Any

import keras
import numpy as np

from captioner.errors import CaptionerError
from captioner.training.batches import Batches

Step = Callable[[tuple[Any, ...]], float]


class Workers:
    """One process that trains alone; subclasses are one of several.

    Attributes:
        count: Number of processes.
        index: Number of this process; 0 is the chief, which validates and writes.
    """

    count = 1
    index = 0

    @property
    def is_chief(self) -> bool:
        """True for the only process that validates, and writes presets, checkpoints and logs."""
        return self.index == 0

    def building(self) -> AbstractContextManager[Any]:
        """Return the context in which models and optimizers must be built."""
        return nullcontext()

    @contextmanager
    def stepping(self, model: keras.Model) -> Iterator["Step"]:
        """Provide the step of a training: it learns from a share, and returns the batch's loss."""
        yield lambda share: float(model.train_on_batch(*share, return_dict=True)["loss"])

    def of_chief(self, value: float) -> float:
        """Return the chief's value in all processes; each waits for it."""
        return value

    def share(self, batch: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return this process's rows of a batch; the rest of a division is left out.

        Args:
            batch: Nested arrays (B, ...).
        """
        size = len(keras.tree.flatten(batch)[0]) // self.count
        rows = slice(self.index * size, (self.index + 1) * size)
        return keras.tree.map_structure(lambda array: array[rows], batch)


class _TensorFlowWorkers(Workers):
    """Processes of a MultiWorkerMirroredStrategy."""

    def __init__(self) -> None:
        import tensorflow as tf

        self._strategy = tf.distribute.MultiWorkerMirroredStrategy()
        self._model: keras.Model | None = None
        self._graph: Any = None
        self.count = self._strategy.num_replicas_in_sync
        self.index = self._strategy.cluster_resolver.task_id
        if self.count != len(json.loads(os.environ["TF_CONFIG"])["cluster"]["worker"]):
            raise CaptionerError(
                "each worker must see one GPU at most: set CUDA_VISIBLE_DEVICES for each"
            )

    def building(self) -> AbstractContextManager[Any]:
        return self._strategy.scope()

    @contextmanager
    def stepping(self, model: keras.Model) -> Iterator[Step]:
        import tensorflow as tf

        # Keras' own graph of a step averages the losses of several workers over an axis that they
        # do not have (keras 3.15, reduce_per_replica), so it fails.
        def learn(share: Any) -> Any:
            model.reset_metrics()
            return model.train_step(share)["loss"]

        def learn_together(share: Any) -> Any:
            loss = self._strategy.run(learn, (share,))
            return self._strategy.reduce(tf.distribute.ReduceOp.MEAN, loss, axis=None)

        if model is not self._model:
            self._model, self._graph = model, tf.function(learn_together, reduce_retracing=True)
        to_tensor = partial(keras.tree.map_structure, tf.convert_to_tensor)
        yield lambda share: float(self._graph(to_tensor(share)))

    def of_chief(self, value: float) -> float:
        import tensorflow as tf

        own = tf.constant([value if self.is_chief else 0.0])
        return float(self._strategy.reduce(tf.distribute.ReduceOp.SUM, own, axis=0))


class _JaxWorkers(Workers):
    """Processes of jax.distributed; the steps see one global array for each variable.

    Outside of the steps, variables are arrays of this process, so that the chief alone can validate
    and write.
    """

    def __init__(self) -> None:
        import jax

        keras.distribution.initialize()
        self.count, self.index = jax.process_count(), jax.process_index()
        self._distribution = keras.distribution.DataParallel(auto_shard_dataset=False)

    @contextmanager
    def stepping(self, model: keras.Model) -> Iterator[Step]:
        import jax

        mesh = self._distribution.device_mesh.backend_mesh
        sharding: Any = jax.sharding
        whole = sharding.NamedSharding(mesh, sharding.PartitionSpec())
        to_global: Any = jax.make_array_from_process_local_data
        variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
        for variable in variables:
            own = np.asarray(variable.value)
            variable.assign(to_global(whole, own))
        with self._distribution.scope(), super().stepping(model) as step:
            yield step
        for variable in variables:
            variable.assign(jax.device_put(np.asarray(variable.value), jax.local_devices()[0]))

    def of_chief(self, value: float) -> float:
        from jax.experimental.multihost_utils import broadcast_one_to_all

        return float(broadcast_one_to_all(np.float32(value)))


@cache
def join_workers() -> Workers:
    """Join the other processes of this training, if the environment names any.

    It must be called before anything is computed, and waits until all have joined.

    Raises:
        CaptionerError: If the environment names several processes for another backend.
    """
    several = {
        "tensorflow": len(_tasks()) > 1,
        "jax": int(os.environ.get("KERAS_DISTRIBUTION_NUM_PROCESSES", 1)) > 1,
    }
    backend = keras.backend.backend()
    if several.get(backend):
        return _TensorFlowWorkers() if backend == "tensorflow" else _JaxWorkers()
    if any(several.values()):
        raise CaptionerError(
            f"the environment names several workers, but not for {backend}: TF_CONFIG is for "
            "KERAS_BACKEND=tensorflow, KERAS_DISTRIBUTION_* for KERAS_BACKEND=jax"
        )
    return Workers()


def _tasks() -> Sequence[str]:
    try:
        cluster = json.loads(os.environ.get("TF_CONFIG", "{}")).get("cluster", {})
        if wrong := cluster.keys() - {"worker"}:
            raise CaptionerError(f"TF_CONFIG has a {min(wrong)}: give it only workers")
        return list(cluster.get("worker", ()))
    except (ValueError, AttributeError) as error:
        raise CaptionerError(f"TF_CONFIG is no JSON object ({error}): correct it") from error


class InStep(keras.callbacks.Callback):
    """Stops the training in all processes if the chief's has stopped; the last callback."""

    def __init__(self, workers: Workers) -> None:
        super().__init__()
        self._workers = workers

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Wait for the chief, which has validated and written the epoch."""
        self.model.stop_training = bool(self._workers.of_chief(float(self.model.stop_training)))


def fit_shares(
    model: keras.Model,
    batches: Batches,
    workers: Workers,
    *,
    initial_epoch: int,
    epochs: int,
    callbacks: Sequence[keras.callbacks.Callback],
) -> None:
    """Train as `fit` does, on this process's share of each batch.

    Each process makes the whole batch, so all draw the same random numbers and a training is the
    same with any number of workers.

    Args:
        model: A model compiled within `Workers.building`.
        batches: Batches, at the beginning of the first epoch to train.
        workers: The processes.
        initial_epoch: Number of epochs that are already done.
        epochs: Number of epochs at the end of the training.
        callbacks: Callbacks as for `fit`; they get the mean loss of the epoch so far.
    """
    steps = len(batches)
    calls = keras.callbacks.CallbackList(callbacks, model=model, epochs=epochs, steps=steps)
    model.stop_training = False
    batches.on_epoch_end()  # `fit` does so before its first epoch, too (keras 3.15)
    calls.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        calls.on_epoch_begin(epoch)
        loss = rows = 0.0
        with workers.stepping(model) as learn:
            for step in range(steps):
                share = workers.share(batches[step])
                size = len(keras.tree.flatten(share)[0])
                if not size:  # the last batch has fewer rows than there are workers
                    continue
                calls.on_train_batch_begin(step)
                loss, rows = loss + size * learn(share), rows + size
                calls.on_train_batch_end(step, {"loss": loss / rows})
        batches.on_epoch_end()
        calls.on_epoch_end(epoch, {"loss": loss / rows})
        if model.stop_training:
            break
    calls.on_train_end()
