"""Self-critical training on captions that the model draws at random."""

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
    """Draws sentences word by word from a decoder while it is trained.

    Dropout is off, as when captions are written. keras_nlp's samplers draw one sentence a row
    through a cache of their own kind; here N sentences share the memory of a picture.

    Args:
        decoder: A built `Decoder`.
        vocabulary: Its words; `<pad>`, `<start>` and `<unk>` are never drawn.
        samples: Sentences for each picture, N.
        max_length: Most words of a sentence; one that would go on has no `<end>`.

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
        """Draws N sentences for each picture or clip.

        Args:
            features: float (B, T, P, C).
            seed: Equal seeds and weights draw equal sentences.
            frame_mask: bool (B, T), False for padding frames; None when there are none.

        Returns:
            int32 (B, N, max_length + 1): words and `<end>`, then `<pad>`.
        """
        self._random.state.assign(np.array([seed % 2**31, 0], self._random.state.dtype))
        mask = np.ones(features.shape[:2], bool) if frame_mask is None else frame_mask
        drawn = self._draw(ops.convert_to_tensor(features), ops.convert_to_tensor(mask))
        return np.asarray(ops.convert_to_numpy(drawn), np.int32)

    def _stateless_draw(self) -> Callable[..., Any]:
        """Return a compiled function of the weights too, which JAX would take for constants."""
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


# A word of its own for the end of a sentence, so that n-grams tell a good ending from a bad one.
_END = "<end>"


def fit_on_policy(
    model: keras.Model,
    batches: Batches,
    *,
    initial_epoch: int,
    epochs: int,
    callbacks: Sequence[keras.callbacks.Callback],
) -> None:
    """Train as `fit` does, but make each batch when the steps before it are done.

    `fit` reads batches ahead; these must be sampled with the weights that they then change.

    Args:
        model: Compiled.
        batches: At the beginning of the first epoch to train.
        initial_epoch: Number of epochs that are done already.
        epochs: Number of epochs when training ends.
        callbacks: As of `fit`.
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

    The gradient of `-advantage * log p(caption)` is that of REINFORCE, so sample weights train it
    on any backend. The advantage of a caption is its reward minus the mean reward of the other
    samples of the same image (Luo 2020, https://arxiv.org/abs/2003.09971), which needs no greedy
    search as that of Rennie et al. 2017.

    Args:
        examples: The train split.
        vocabulary: Words and ids.
        read: Reader as for `CaptionBatches`; must give `features`, and may give `frame_mask`.
        sampler: Draws N captions an image.
        reward: Reward of a caption.
        kwargs: Arguments of `Batches`.

    Items:
        inputs: What `read` returns, and `token_ids` int32 (B, N, L): <start> and all words but the
            last.
        targets: int32 (B, N, L).
        weights: float32 (B, N, L): the advantage, over the mean number of words a place holds, so
            that the mean over places is one over words; 0 after the end.
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
        """Make a batch, sampled with the present weights."""
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
    """CIDEr-D of a caption against its picture's captions, mixed with BLEU-4.

    The end of a sentence counts as a word, in captions and references: without it, models learn to
    break off ("a man with a"), which costs them no n-gram (Rennie et al. 2017 count it too).

    Args:
        examples: The train split; document frequencies are counted over it.
        bleu_weight: How much of BLEU-4 (0 to 1) is added to CIDEr-D (0 to 10).

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
        """Rewards of captions.

        Args:
            image_ids: N ids of the train split, the picture of each caption.
            captions: N captions, as words.
            ended: Whether each caption came to its end.

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
