"""Adam with a learning rate of its own for the encoder."""

from typing import Any

import keras

from captioner.training.config import StageConfig


@keras.saving.register_keras_serializable("captioner")
class TwoRateAdam(keras.optimizers.Adam):
    """Adam whose steps are scaled by `encoder_scale` for the variables of the encoder.

    Scaling the gradients would do nothing, since Adam divides by their size; so the rate is scaled.

    Args:
        learning_rate: The decoder's rate, or a schedule.
        encoder_scale: The encoder's rate as a share of it.
        kwargs: Those of keras.optimizers.Adam.
    """

    def __init__(
        self, learning_rate: Any = 0.001, encoder_scale: float = 1.0, **kwargs: Any
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.encoder_scale = encoder_scale

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One step of one variable."""
        # The backend's own variable may be given, which has no path; Keras' has one. Only the
        # encoder has convolutions named by block ("block5_conv3/kernel").
        path = self._trainable_variables[self._get_variable_index(variable)].path
        scale = self.encoder_scale if "block" in path else 1.0
        super().update_step(gradient, variable, learning_rate * scale)

    def get_config(self) -> dict[str, Any]:
        """What builds the same optimizer."""
        return {**super().get_config(), "encoder_scale": self.encoder_scale}


def build_optimizer(stage: StageConfig, steps: int) -> TwoRateAdam:
    """Adam for a stage: warm-up and cosine decay (Loshchilov and Hutter 2017) over all its steps.

    Args:
        stage: Rates, warm-up, clipping and averaging.
        steps: Of the whole stage.
    """
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        warmup_target=stage.learning_rate,
        warmup_steps=min(stage.warmup_steps, steps // 2),
        decay_steps=max(steps - stage.warmup_steps, 1),
        alpha=0.02,
    )
    return TwoRateAdam(
        schedule,
        encoder_scale=stage.encoder_learning_rate / stage.learning_rate,
        global_clipnorm=stage.clip_norm,
        use_ema=stage.ema > 0,
        ema_momentum=stage.ema or 0.99,
    )
