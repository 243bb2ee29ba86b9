"""Training and validation data of a stage: stored features, or images."""

import math
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from captioner.datasets.augment import View, augment, can_flip
from captioner.datasets.dataset import Example
from captioner.datasets.mixture import Mixture, Part, draw_epoch
from captioner.datasets.shuffling import number_shards, shuffle_nearby
from captioner.datasets.store import FRAMES_OF_A_CLIP, FeatureStore, prepare_features
from captioner.engines.engine import Engine
from captioner.errors import CaptionerError
from captioner.media.ahead import read_ahead
from captioner.media.clip import Clip
from captioner.media.sources import read_clips
from captioner.models.clip_features import encode_clips, pad_clips
from captioner.models.vgg16 import VGG16Encoder
from captioner.training.config import StageConfig
from captioner.training.presence import PresenceData

# Clips that are captioned at once: enough for fast matrix products, with a few MB of states.
_VALIDATION_BATCH = 100


class StageData:
    """Reads images if the stage trains VGG16, and stored features if VGG16 is frozen.

    Unreadable files are left out.

    Args:
        features: Folder of the feature store, or of one store for each data set of a mixture; made
            if missing, resumed if unfinished.
        stage: Config of the stage.
        mixture: Images and clips with captions.
        encoder: Encoder with the initial weights of the stage.
        views: Number of views of each training image that are stored beside its features, and
            drawn at random; their stores are made if missing.
        presence: Word presence for captions without images; None leaves these captions out.

    Attributes:
        train: Readable training examples, data set by data set.
        validation: Readable validation examples of each data set that has any.
        frames: Number of frames of a clip in a training step, at most; 1 if there are no clips.
        stored_frames: Number of frames of a clip that validation reads, at most; captioning should
            read as many.

    Raises:
        CaptionerError: If a store does not fit, or an option of the stage does not fit its input.
    """

    def __init__(
        self,
        features: str | Path,
        stage: StageConfig,
        mixture: Mixture,
        encoder: VGG16Encoder,
        views: int = 0,
        presence: PresenceData | None = None,
    ) -> None:
        self.stage = stage
        self.size = encoder.image_size
        self.mixture = mixture
        self._encoder = encoder
        self._stores: dict[str, FeatureStore] = {}
        self._views: dict[str, list[FeatureStore]] = {}
        parts = [
            part
            for part in mixture.parts
            if part.settings.captions or stage.objective == "presence"
        ]
        with_images = [part for part in parts if part.dataset.has_images]
        told = presence is not None and stage.objective == "cross_entropy"
        if stage.trainable_from is not None or not told:
            parts = with_images
        self._presence = presence if len(parts) > len(with_images) else None
        if stage.trainable_from is None:
            if stage.flip or stage.crop < 1:
                raise CaptionerError(
                    f"stage {stage.name}: flip and crop need images, and this stage reads stored "
                    "features: leave them out or give trainable_from"
                )
            for part in with_images:
                name = part.settings.name
                folder = Path(features) / name if name else Path(features)
                self._stores[name] = prepare_features(part.dataset, encoder, folder)
                self._views[name] = [
                    prepare_features(part.dataset, encoder, f"{folder}_view{n}", view=View(seed=n))
                    for n in range(1, views + 1)
                    if not part.dataset.has_clips or len(mixture.parts) == 1
                ]
        captions_only = stage.objective != "presence"
        self.train = self._readable(
            [e for e in mixture.split("train", captions_only) if mixture.part_of(e) in parts]
        )
        self.validation = {
            part.settings.name: examples
            for part in with_images
            if part.settings.captions
            and (
                examples := self._readable(
                    [e for e in mixture.split("val") if mixture.part_of(e) is part]
                )
            )
        }
        self._sizes = [
            sum(mixture.part_of(example) is part for example in self.train) for part in parts
        ]
        self._shards = number_shards([example.path for example in self.train])
        self._weights = [part.settings.weight for part in parts]
        stored = {part.settings.name: self._stored_frames(part) for part in with_images}
        self.stored_frames = max(stored.values())
        self.frames = max(
            min(stored[name := part.settings.name], part.settings.frames or stored[name])
            for part in with_images
        )
        if self._presence is not None:
            self._presence.measure(
                self.train, lambda batch: pad_clips([self._stored(e) for e in batch])
            )

    def draw_epoch(self, rng: np.random.Generator) -> np.ndarray:
        """Draw the order of the training examples of an epoch, see `mixture.draw_epoch`."""
        order = draw_epoch(self._sizes, self._weights, rng)
        return order if self._shards is None else shuffle_nearby(order, self._shards, rng)

    def read(self, examples: list[Example], rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Read the network's input for some training examples.

        Args:
            examples: B examples.
            rng: Random generator for frames of clips, views, crops and mirror images.

        Returns:
            `features` float16 (B, T, P, C), and if T is above 1 `frame_mask` bool (B, T). If VGG16
            is trained, instead `images` uint8 (B, 1, H, W, 3), with one frame of each clip. If
            there are captions without images, also `presence` float32 (B, W): the words that they
            mention; -1 where the decoder must detect the words itself. If a data set is distilled,
            also `distilled` bool (B,).
        """
        if self.stage.trainable_from is not None:
            return {"images": np.stack([self._read_image(example, rng) for example in examples])}
        clips = [self._draw_frames(example, rng) for example in examples]
        frames = max(self.frames, self.stage.frames)
        features, mask = pad_clips(clips, frames)
        inputs = {"features": features}
        if frames > 1 or self._presence is not None:
            inputs["frame_mask"] = mask
        if self._presence is not None:
            rows = [self._presence.tell(example, rng) for example in examples]
            inputs["presence"] = np.stack(rows)
        if any(part.settings.distilled for part in self.mixture.parts):
            parts = [self.mixture.part_of(example) for example in examples]
            inputs["distilled"] = np.array([part.settings.distilled for part in parts])
        return inputs

    def validation_clips(
        self, name: str, engine: Engine
    ) -> Iterator[tuple[list[str], Sequence[np.ndarray]]]:
        """Yield the validation examples of a data set, batch by batch.

        Args:
            name: Name of the data set in the mixture.
            engine: Engine that encodes the frames if VGG16 is trained.

        Yields:
            Ids, and the features of each example, float (T, P, C).
        """
        examples = self.validation[name]
        for start in range(0, len(examples), _VALIDATION_BATCH):
            batch = examples[start : start + _VALIDATION_BATCH]
            if self._stores:
                clips: Sequence[np.ndarray] = [self._stored(example) for example in batch]
            else:
                clips = self._encode(batch, engine)
            yield [e.id for e in batch], clips

    def _stored_frames(self, part: Part) -> int:
        if not part.dataset.has_clips:
            return 1
        store = self._stores.get(part.settings.name)
        return FRAMES_OF_A_CLIP if store is None else store.frames

    def _stored(self, example: Example) -> np.ndarray:
        part = self.mixture.part_of(example)
        return self._stores[part.settings.name][part.own_id(example.id)]

    def _draw_frames(self, example: Example, rng: np.random.Generator) -> np.ndarray:
        """Return features (T, P, C) of random frames of a clip, or of random views of an image."""
        if not example.path:
            return np.zeros((0, self._encoder.locations, self._encoder.channels), np.float16)
        part = self.mixture.part_of(example)
        stored = self._stored(example)
        if part.dataset.has_clips:
            if part.settings.frames is None:
                return stored
            count = rng.integers(1, min(part.settings.frames, len(stored)), endpoint=True)
            return stored[np.sort(rng.permutation(len(stored))[:count])]
        views = self._views[part.settings.name]
        if not views:
            return stored
        own = part.own_id(example.id)
        looks = [stored, *(view[own] for view in views)]
        count = rng.integers(1, self.stage.frames, endpoint=True)
        return np.concatenate([looks[look] for look in rng.permutation(len(looks))[:count]])

    def _read_image(self, example: Example, rng: np.random.Generator) -> np.ndarray:
        """Return an image, or a random frame of a clip, augmented; uint8 (1, H, W, 3)."""
        frames = _frames(example, self.size)
        frame = frames[rng.integers(len(frames))] if len(frames) > 1 else frames[0]
        flip = self.stage.flip and can_flip(example.tokens)
        return augment(frame, rng, crop=self.stage.crop, flip=flip)[np.newaxis]

    def _encode(self, examples: list[Example], engine: Engine) -> list[np.ndarray]:
        frames = [_frames(example, self.size) for example in examples]
        clips = {n: Clip(shown, np.zeros(len(shown))) for n, shown in enumerate(frames)}
        encode = engine.encode
        return [encoded for _, encoded in encode_clips(encode, clips, batch_size=32)]

    def _readable(self, examples: list[Example]) -> list[Example]:
        if self._stores:
            return [
                example
                for example in examples
                if not example.path
                or (part := self.mixture.part_of(example)).own_id(example.id)
                in self._stores[part.settings.name]
            ]
        read = partial(_read_one, size=self.size)
        broken = {
            reading.index
            for batch in read_ahead(read, examples, 64)
            for reading in batch
            if isinstance(reading.clip, CaptionerError)
        }
        return [example for n, example in enumerate(examples) if n not in broken]


def _read_one(example: Example, size: tuple[int, int]) -> Iterator[Clip]:
    return read_clips(example.path, size, every=math.inf, most=FRAMES_OF_A_CLIP)


def _frames(example: Example, size: tuple[int, int]) -> np.ndarray:
    """Return the frames of an image or clip, uint8 (T, H, W, 3)."""
    try:
        return next(iter(_read_one(example, size))).frames
    except CaptionerError as error:
        raise CaptionerError(f"a file became unreadable during training: {error}") from error
