"""Self-critical training on captions that the model samples."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from captioner.datasets.dataset import Example
from captioner.engines.keras import compiled
from captioner.evaluation.bleu import bleu_from_statistics, bleu_statistics
from captioner.evaluation.cider import CiderD
from captioner.models.attention import MASK_VALUE
from captioner.models.decoder import Decoder
from captioner.text.vocabulary import Vocabulary
from captioner.training.batches import Batches, Read

_ON_JAX = keras.backend.backend() == "jax"


class CaptionSampler:
    """Samples captions token by token from a decoder in training.

    Dropout is off, as in generation. keras_nlp's samplers draw one sentence per row with their own
    kind of cache; here N captions share the memory of an image.

    Args:
        decoder: A built `Decoder`.
        vocabulary: Vocabulary of the decoder; `<pad>`, `<start>` and `<unk>` are never drawn.
        samples: Number of captions of each image, N.
        max_length: Number of words of a caption, at most; a longer one is cut and has no `<end>`.

    Example:
        >>> from captioner.models.build import build_decoder
        >>> vocabulary = Vocabulary({"a": 2, "dog": 1})
        >>> size = {"vocabulary_size": len(vocabulary), "units": 8, "embedding_size": 8}
        >>> decoder = build_decoder("show_and_tell", channels=4, **size)
        >>> sampler = CaptionSampler(decoder, vocabulary, samples=3, max_length=5)
        >>> sampler.sample(np.ones((2, 1, 9, 4)), seed=7).shape
        (2, 3, 6)
    """

    def __init__(
        self, decoder: Decoder, vocabulary: Vocabulary, samples: int, max_length: int
    ) -> None:
        self._decoder = decoder
        self._vocabulary = vocabulary
        self._samples = samples
        self._max_length = max_length
        self._random = keras.random.SeedGenerator(0)
        self._penalty = np.zeros(len(vocabulary), np.float32)
        self._penalty[list(vocabulary.unspoken_ids)] = MASK_VALUE
        self._variables = [*decoder.variables, self._random.state]
        self._draw = self._stateless_draw() if _ON_JAX else compiled(self._draw_all)

    def sample(
        self, features: np.ndarray, seed: int, frame_mask: np.ndarray | None = None
    ) -> np.ndarray:
        """Sample N captions of each image or clip.

        Args:
            features: Features, float (B, T, P, C).
            seed: Seed; equal seeds and weights give equal captions.
            frame_mask: Mask, bool (B, T), False for padding frames; None if there are none.

        Returns:
            Token ids, int32 (B, N, max_length + 1): words and `<end>`, then `<pad>`.
        """
        self._random.state.assign(np.array([seed % 2**31, 0], self._random.state.dtype))
        mask = np.ones(features.shape[:2], bool) if frame_mask is None else frame_mask
        drawn = self._draw(ops.convert_to_tensor(features), ops.convert_to_tensor(mask))
        return np.asarray(ops.convert_to_numpy(drawn), np.int32)

    def _stateless_draw(self) -> Callable[..., Any]:
        """Return a compiled function that takes the weights, which JAX would make constants."""
        import jax

        def draw(values: list[Any], features: Any, frame_mask: Any) -> Any:
            pairs = list(zip(self._variables, values, strict=True))
            with keras.StatelessScope(state_mapping=pairs):
                return self._draw_all(features, frame_mask)

        graph = jax.jit(draw)

        def draw_with_weights(features: Any, frame_mask: Any) -> Any:
            return graph([variable.value for variable in self._variables], features, frame_mask)

        return draw_with_weights

    def _draw_all(self, features: Any, frame_mask: Any) -> Any:
        decoder, vocabulary = self._decoder, self._vocabulary
        memory = decoder.encode(ops.cast(features, decoder.compute_dtype), frame_mask)
        state = tuple(
            ops.repeat(part, self._samples, axis=1) for part in decoder.initial_state(memory)
        )
        shape = (ops.shape(features)[0], self._samples)
        token_ids = ops.full(shape, vocabulary.start_id, "int32")  # (B, N)
        ended = ops.zeros(shape, "bool")
        penalty = ops.convert_to_tensor(self._penalty)
        drawn = []
        for _ in range(self._max_length + 1):
            logits, state, _ = decoder.step(token_ids, state, memory)  # (B, N, V)
            rows = ops.reshape(logits + penalty, (-1, logits.shape[-1]))
            words = keras.random.categorical(rows, 1, dtype="int32", seed=self._random)
            token_ids = ops.where(ended, vocabulary.pad_id, ops.reshape(words, shape))
            ended = ops.logical_or(ended, token_ids == vocabulary.end_id)
            drawn.append(token_ids)
        return ops.stack(drawn, axis=2)


# A word for the end of a sentence, so that n-grams distinguish good endings from bad ones.
_END = "<end>"


def fit_on_policy(
    model: keras.Model,
    batches: Batches,
    *,
    initial_epoch: int,
    epochs: int,
    callbacks: Sequence[keras.callbacks.Callback],
) -> None:
    """Train as `fit` does, but make each batch only after the previous step.

    `fit` reads batches ahead, but these must be sampled with the current weights.

    Args:
        model: A compiled model.
        batches: Batches, at the beginning of the first epoch to train.
        initial_epoch: Number of epochs that are already done.
        epochs: Number of epochs at the end of the training.
        callbacks: Callbacks as for `fit`.
    """
    steps = len(batches)
    calls = keras.callbacks.CallbackList(callbacks, model=model, epochs=epochs, steps=steps)
    model.stop_training = False
    calls.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        model.reset_metrics()
        calls.on_epoch_begin(epoch)
        logs: dict[str, Any] = {}
        for step in range(steps):
            calls.on_train_batch_begin(step)
            inputs, targets, weights = batches[step]
            logs = model.train_on_batch(inputs, targets, weights, return_dict=True)
            calls.on_train_batch_end(step, logs)
        batches.on_epoch_end()
        calls.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    calls.on_train_end()


class SelfCriticalBatches(Batches):
    """Policy gradient as batches: cross entropy on sampled captions, weighted by advantage.

    The gradient of `-advantage * log p(caption)` is that of REINFORCE, so sample weights are enough
    on any backend. The advantage of a caption is its reward minus the mean reward of the other
    samples of the same image (Luo 2020, https://arxiv.org/abs/2003.09971). Unlike the baseline of
    Rennie et al. 2017, this needs no greedy search.

    Args:
        examples: Examples of the train split.
        vocabulary: Vocabulary of the decoder.
        read: Function as for `CaptionBatches`; must return `features`, and may return `frame_mask`.
        sampler: Sampler of N captions per image.
        reward: Reward of a caption.
        kwargs: Arguments of `Batches`.

    Items:
        inputs: The result of `read`, and `token_ids` int32 (B, N, L): <start> and all tokens but
            the last.
        targets: int32 (B, N, L).
        weights: float32 (B, N, L): the advantage divided by the share of positions that are not
            padding, so that the mean over positions is a mean over tokens; 0 after the end.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        vocabulary: Vocabulary,
        read: Read,
        sampler: CaptionSampler,
        reward: "CaptionReward",
        **kwargs: Any,
    ) -> None:
        super().__init__(examples, **kwargs)
        self._read = read
        self._sampler = sampler
        self._reward = reward
        self._vocabulary = vocabulary

    def make(
        self, rows: np.ndarray, rng: np.random.Generator
    ) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        """Make a batch, sampled with the current weights."""
        seed = rng.bit_generator.seed_seq.generate_state(1)[0]
        examples = [self.examples[row] for row in rows]
        inputs = self._read(examples, rng)
        targets = self._sampler.sample(inputs["features"], int(seed), inputs.get("frame_mask"))
        weights = self._weigh(examples, targets)
        start = np.full((*targets.shape[:2], 1), self._vocabulary.start_id, np.int32)
        token_ids = np.concatenate([start, targets[:, :, :-1]], axis=2)
        return {**inputs, "token_ids": token_ids}, targets, weights

    def _weigh(self, examples: Sequence[Example], targets: np.ndarray) -> np.ndarray:
        batch, samples, _ = targets.shape
        flat = targets.reshape(batch * samples, -1)
        rewards = self._reward.score(
            [example.id for example in examples for _ in range(samples)],
            [self._vocabulary.decode(ids) for ids in flat],
            (flat == self._vocabulary.end_id).any(axis=1).tolist(),
        ).reshape(batch, samples)
        others = (rewards.sum(axis=1, keepdims=True) - rewards) / (samples - 1)
        mask = targets != self._vocabulary.pad_id  # (B, N, L)
        return ((rewards - others)[:, :, np.newaxis] * mask / mask.mean()).astype(np.float32)


class CaptionReward:
    """CIDEr-D of a caption against the human captions of its image, plus weighted BLEU-4.

    The end of a sentence counts as a word, in captions and references. Otherwise models learn to
    break off ("a man with a"), which costs them no n-gram (Rennie et al. 2017 count it too).

    Args:
        examples: Examples of the train split; document frequencies are counted over it.
        bleu_weight: Weight of BLEU-4 (0 to 1), which is added to CIDEr-D (0 to 10).

    Example:
        >>> words = (("a", "dog", "runs"), ("the", "dog", "is", "running"))
        >>> examples = [Example("1", "1.jpg", ("", ""), words, "train")]
        >>> reward = CaptionReward(examples, bleu_weight=1.0)
        >>> reward.score(["1"], [["a", "dog", "runs"]], [True]).round(2).tolist()
        [1.0]
    """

    def __init__(self, examples: Sequence[Example], bleu_weight: float = 0.0) -> None:
        self._bleu_weight = bleu_weight
        self._places = {example.id: place for place, example in enumerate(examples)}
        self._cider = CiderD(
            {e.id: [" ".join([*words, _END]) for words in e.tokens] for e in examples}
        )

    def score(
        self, image_ids: Sequence[str], captions: Sequence[Sequence[str]], ended: Sequence[bool]
    ) -> np.ndarray:
        """Compute the rewards of captions.

        Args:
            image_ids: Image id of each of N captions, from the train split.
            captions: N captions, as words.
            ended: True for each caption that ended with `<end>`.

        Returns:
            float64 (N,).
        """
        sentences = [
            " ".join([*words, _END] if end else words)
            for words, end in zip(captions, ended, strict=True)
        ]
        rewards = self._cider.score(image_ids, sentences)
        if self._bleu_weight:
            places = np.array([self._places[image_id] for image_id in image_ids])
            statistics = bleu_statistics(sentences, self._cider.references, places)
            rewards = rewards + self._bleu_weight * bleu_from_statistics(statistics.table())[:, 3]
        return rewards
