"""The Keras model that is trained (encoder and decoder), and its loss."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
from keras import ops

from captioner.errors import CaptionerError
from captioner.models.attention import MASK_VALUE
from captioner.models.build import build_decoder
from captioner.models.decoder import Decoder
from captioner.models.vgg16 import FILTERS, VGG16Encoder
from captioner.models.worker_share import share_of_weight
from captioner.presets.network import (
    assign_encoder_weights,
    assign_presence_weights,
    assign_weights,
    build_network,
    has_encoder_of,
)
from captioner.presets.storage import Preset, preset_folder, read_preset
from captioner.text.vocabulary import Vocabulary
from captioner.training.config import StageConfig, TrainConfig


class NextWordLoss(keras.losses.Loss):
    """Cross entropy against integer targets, with label smoothing; a weighted mean over tokens.

    keras.losses.SparseCategoricalCrossentropy has no label smoothing, and the categorical loss
    needs one-hot targets of B * N * L * V floats.

    Args:
        label_smoothing: Share of the probability spread evenly over the vocabulary
            (Szegedy et al. 2015, https://arxiv.org/abs/1512.00567, section 7).
        reduction: Kind of mean: "mean_with_sample_weight" divides by the sum of the weights, which
            is right for weights of 0 and 1; "mean" divides by their number, for weights of either
            sign.
        suppressed_ids: Tokens that get no probability, because captions are sampled without them.
            Otherwise the probability that training removes from bad samples would move to these
            tokens, which are never sampled and so never penalized.

    Example:
        >>> import numpy as np
        >>> float(NextWordLoss()(np.array([[[1]]]), np.zeros((1, 1, 1, 4), "float32")))  # log 4
        1.3862943649291992
    """

    def __init__(
        self,
        label_smoothing: float = 0.0,
        reduction: str = "mean_with_sample_weight",
        suppressed_ids: Sequence[int] = (),
        name: str = "next_word_loss",
    ) -> None:
        super().__init__(name=name, reduction=reduction)
        self.label_smoothing = label_smoothing
        self.suppressed_ids = tuple(suppressed_ids)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the loss, a scalar that averages over the workers to that of the whole batch."""
        loss = super().__call__(y_true, y_pred, sample_weight)
        if self.reduction == "mean_with_sample_weight" and sample_weight is not None:
            loss *= share_of_weight(sample_weight)
        return loss

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Turn targets int (B, N, L) and logits (B, N, L, V) into losses (B, N, L)."""
        if self.suppressed_ids:
            barred = ops.sum(ops.one_hot(self.suppressed_ids, y_pred.shape[-1]), axis=0)  # (V,)
            y_pred = y_pred + MASK_VALUE * barred
        log_normalizer = ops.logsumexp(y_pred, axis=-1)
        target = ops.take_along_axis(y_pred, ops.cast(y_true, "int32")[..., None], axis=-1)[..., 0]
        smoothed = (1 - self.label_smoothing) * target
        smoothed += self.label_smoothing * ops.mean(y_pred, axis=-1)
        return log_normalizer - smoothed


class CaptionModel(keras.Model):
    """Predicts each next token of given captions, from images or from their features.

    Args:
        encoder: A `VGG16Encoder`. It is used and trained only if the input has images.
        decoder: A built `Decoder`.
        teachers: `Teachers` whose probabilities are learned from, beside the captions, or None.
        distillation: Weight of the cross entropy against the teachers, which is an added loss. The
            cross entropy against the captions is the compiled loss; its weight should be the rest.
            If the inputs have `distilled`, it is computed only where that is True.

    Call arguments:
        inputs: dict of `token_ids` int (B, N, L), either `features` float (B, T, P, C) or `images`
            uint8 (B, T, H, W, 3), and, where there are padding frames, `frame_mask` bool (B, T);
            `presence` float (B, W) for a decoder that gets the words of an image as input;
            `distilled` bool (B,), see `distillation`.

    Returns:
        Logits, float32 (B, N, L, V).
    """

    def __init__(
        self,
        encoder: Any,
        decoder: Decoder,
        teachers: "Teachers | None" = None,
        distillation: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.teachers = teachers
        self.distillation = distillation
        self.built = True

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile, and build the loss, which `fit` would otherwise build from the first batch.

        On JAX and PyTorch, `fit` would then train on the batches after it first, since Keras has
        already read them ahead.
        """
        super().compile(*args, **kwargs)
        logits = ops.zeros((1, 1, 1, self.decoder.vocabulary_size))
        self.compute_loss(y=ops.zeros((1, 1, 1), "int32"), y_pred=logits)

    def call(self, inputs: dict[str, Any], training: bool = False) -> Any:
        """See the class."""
        features = inputs["features"] if "features" in inputs else self.encoder(inputs["images"])
        token_ids, frame_mask = inputs["token_ids"], inputs.get("frame_mask")
        told = {"presence": inputs["presence"]} if "presence" in inputs else {}
        logits = self.decoder(features, token_ids, frame_mask=frame_mask, training=training, **told)
        if training and self.teachers is not None:
            taught = self.teachers(features, token_ids, frame_mask=frame_mask)
            loss = _cross_entropy(taught, logits, token_ids, inputs.get("distilled"))
            self.add_loss(self.distillation * loss)
        return logits


def _cross_entropy(told: Any, logits: Any, token_ids: Any, rows: Any = None) -> Any:
    """Return the mean cross entropy over all tokens but padding.

    Args:
        told: Target probabilities (B, N, L, V).
        logits: Logits (B, N, L, V).
        token_ids: int (B, N, L), the tokens that are read.
        rows: bool (B,), False for images that do not count; None if all do.
    """
    real = ops.cast(token_ids != Vocabulary.pad_id, "float32")
    if rows is not None:
        real = real * ops.cast(rows, "float32")[:, None, None]
    terms = ops.logsumexp(logits, axis=-1) - ops.sum(told * logits, axis=-1)  # (B, N, L)
    mean = ops.sum(real * terms) / ops.maximum(ops.sum(real), 1)
    return share_of_weight(real) * mean


class Teachers(keras.layers.Layer):
    """Mean of the next-token probabilities of several decoders; never trained.

    Args:
        decoders: Built decoders, all with the student's features and vocabulary.

    Call arguments:
        features: float (B, T, P, C).
        token_ids: int (B, N, L), as for `Decoder`.
        frame_mask: bool (B, T) or None.

    Returns:
        Probabilities, float32 (B, N, L, V).

    Source: Hinton et al. 2015, https://arxiv.org/abs/1503.02531; for each word as in Kim and Rush
        2016, https://arxiv.org/abs/1606.07947, section 3.1.
    """

    def __init__(self, decoders: Sequence[Decoder], **kwargs: Any) -> None:
        super().__init__(trainable=False, **kwargs)
        self.decoders = list(decoders)
        for decoder in self.decoders:
            decoder.trainable = False
        self.built = True

    def call(self, features: Any, token_ids: Any, frame_mask: Any = None) -> Any:
        """See the class."""
        told = [
            ops.softmax(decoder(features, token_ids, frame_mask=frame_mask, training=False))
            for decoder in self.decoders
        ]
        return ops.stop_gradient(sum(told[1:], start=told[0]) / len(told))


def read_teachers(
    names: Sequence[str], encoder: VGG16Encoder, vocabulary: Vocabulary, policy: str
) -> Teachers:
    """Read the teachers' presets.

    Args:
        names: Names or folders of presets.
        encoder: Encoder of the student. The teachers' must be equal, since all read the same
            stored features.
        vocabulary: Vocabulary of the student; the teachers' must be equal.
        policy: Keras dtype policy.

    Raises:
        CaptionerError: If a preset cannot be read, or does not fit the student.
    """
    decoders = []
    for name in names:
        preset = read_teacher(name, vocabulary)
        if not has_encoder_of(preset, encoder):
            raise CaptionerError(
                f"{name} cannot teach here: its VGG16 is not the one that computed this training's "
                "features; use its encoder (`encoder: {preset: NAME}`), or name another preset"
            )
        decoders.append(build_network(preset, policy)[1])
    return Teachers(decoders)


def read_teacher(name: str, vocabulary: Vocabulary) -> Preset:
    """Read a teacher's preset, and compare its vocabulary with the student's.

    Args:
        name: Name or folder of the preset.
        vocabulary: Vocabulary of the student; the teacher's must be equal.

    Raises:
        CaptionerError: If the preset cannot be read, or has another vocabulary.
    """
    preset = read_preset(preset_folder(name))
    if preset.vocabulary != vocabulary:
        raise CaptionerError(
            f"{name} cannot teach here: its vocabulary is not that of this data set; name a "
            "preset that was trained on the same captions with the same min_count"
        )
    return preset


def build_stage_network(
    config: TrainConfig,
    stage: StageConfig,
    vocabulary: Vocabulary,
    start: Path | None,
    policy: str,
) -> tuple[VGG16Encoder, Decoder]:
    """Build encoder and decoder, with weights of the previous stage or a preset, or new weights.

    Args:
        config: Config of the training.
        stage: Config of the stage.
        vocabulary: Vocabulary of the train split.
        start: Folder of the preset whose weights both parts take; None for a fresh decoder on the
            config's encoder.
        policy: Keras dtype policy.

    Raises:
        CaptionerError: If weights are missing, or belong to another network or vocabulary.
    """
    options = {"weights": "imagenet", **config.encoder}
    taken = options.pop("preset", None)
    source = start or taken
    preset = None if source is None else read_preset(preset_folder(source))
    if preset is not None:  # its weights replace those of ImageNet
        options |= {"weights": None, "filters": preset.config["encoder"].get("filters", FILTERS)}
    encoder = VGG16Encoder(**options, trainable_from=stage.trainable_from, dtype=policy)
    # Captions are sampled without dropout; with dropout, the gradient is that of another policy.
    dropout = {"dropout": 0.0} if stage.objective == "self_critical" else {}
    decoder = build_decoder(
        **{**config.decoder, **dropout},
        channels=encoder.channels,
        vocabulary_size=len(vocabulary),
        dtype=policy,
    )
    if preset is not None and start is not None:
        if preset.vocabulary != vocabulary:
            raise CaptionerError(
                f"{start}: its vocabulary is not that of this data set: add the new words with "
                "`captioner teach`, or train a fresh decoder on its encoder "
                "(`encoder: {preset: NAME}` instead of `start`)"
            )
        assign_weights(encoder, decoder, preset)
    elif preset is not None:
        assign_encoder_weights(encoder, preset)
        words = config.decoder.get("presence", 0)
        if words and len(preset.config.get("presence_words", [])) == words:
            assign_presence_weights(decoder, preset)
    if stage.sharpen != 1:
        if config.decoder.get("tie_embeddings"):
            raise CaptionerError(
                f"stage {stage.name}: sharpen needs a decoder without tied embeddings"
            )
        for weight in decoder.word_logits.weights:
            weight.assign(stage.sharpen * weight)
    return encoder, decoder
