"""Adam with a schedule, a separate learning rate for the encoder, and averaged weights."""

from typing import Any

import keras

from captioner.training.config import StageConfig


class TwoRateAdam(keras.optimizers.Adam):
    """Adam with a learning rate that is scaled by `encoder_scale` for the encoder's variables.

    Scaling the gradients would have no effect, since Adam divides by their size.

    Args:
        learning_rate: Learning rate of the decoder, or a schedule.
        encoder_scale: Learning rate of the encoder as a share of the decoder's.
        kwargs: Arguments of keras.optimizers.Adam.
    """

    def __init__(
        self, learning_rate: Any = 0.001, encoder_scale: float = 1.0, **kwargs: Any
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.encoder_scale = encoder_scale

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable by one step."""
        # `variable` may be the backend's own, which has no path; the Keras variable has one. Only
        # the encoder has convolutions named by block ("block5_conv3/kernel").
        path = self._trainable_variables[self._get_variable_index(variable)].path
        scale = self.encoder_scale if "block" in path else 1.0
        super().update_step(gradient, variable, learning_rate * scale)

    def _clip_gradients(self, gradients: list[Any]) -> Any:
        """Clip the gradient of the whole batch: Keras would clip that of each worker's share."""
        if keras.backend.backend() == "tensorflow":
            pairs = [(gradient, None) for gradient in gradients]
            gradients = [gradient for gradient, _ in super()._all_reduce_sum_gradients(pairs)]
        return super()._clip_gradients(gradients)

    def _all_reduce_sum_gradients(self, pairs: list[Any]) -> list[Any]:
        """Return the gradients, which are sums over all workers already."""
        return pairs


class WarmUpCosine(keras.optimizers.schedules.CosineDecay):
    """Linear warm-up, then cosine decay that reaches its floor exactly at the last step.

    Args:
        peak: Learning rate at the end of the warm-up.
        steps: Number of steps of the whole training.
        warmup_steps: Number of steps of linear warm-up; limited to half of all steps.

    Source: Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983, without restarts.

    Example:
        >>> rate = WarmUpCosine(peak=1.0, steps=5, warmup_steps=2)
        >>> [round(float(rate(step)), 1) for step in range(5)]
        [0.5, 1.0, 0.8, 0.3, 0.0]
    """

    _FLOOR = 0.02  # of the peak

    def __init__(self, peak: float, steps: int, warmup_steps: int = 0) -> None:
        warmup_steps = min(warmup_steps, steps // 2)
        super().__init__(
            initial_learning_rate=self._FLOOR * peak,
            warmup_target=peak,
            warmup_steps=warmup_steps,
            decay_steps=steps - warmup_steps,
            alpha=self._FLOOR,
        )

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of a step, counted from 0."""
        # Keras' schedule starts at the floor and ends one step late.
        return super().__call__(step + 1)


def build_optimizer(stage: StageConfig, steps: int) -> TwoRateAdam:
    """Build Adam for a stage, with warm-up and cosine decay over all its steps.

    Args:
        stage: Config with the rates, warm-up, clipping and averaging.
        steps: Number of steps of the whole stage.
    """
    return TwoRateAdam(
        WarmUpCosine(stage.learning_rate, steps, stage.warmup_steps),
        encoder_scale=stage.encoder_learning_rate / stage.learning_rate,
        global_clipnorm=stage.clip_norm,
        weight_decay=stage.weight_decay or None,
        use_ema=stage.ema > 0,
        ema_momentum=stage.ema or 0.99,
    )


class AverageWeights(keras.callbacks.SwapEMAWeights):
    """Puts the average into the network after each epoch, and the weights back before the next.

    It must come before the callbacks that score and save. A checkpoint written in between contains
    the average as the network's weights, and the weights among the optimizer's variables.

    Args:
        resumed: If True, the training resumes from such a checkpoint.
    """

    def __init__(self, resumed: bool) -> None:
        super().__init__(swap_on_epoch=True)
        self._ema_weights_in_model = resumed

    def _finalize_ema_values(self) -> None:
        """Do nothing: Keras would overwrite the weights, which a longer training needs."""

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Do nothing: all results are on disk already."""
