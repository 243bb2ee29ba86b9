"""What a stage learns from and is validated on: stored features, or pictures."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from captioner.datasets.augmentation import augment, can_flip
from captioner.datasets.caption_dataset import CaptionDataset, CaptionExample
from captioner.datasets.features import prepare_features
from captioner.datasets.view import View
from captioner.engines.keras import KerasEngine
from captioner.errors import CaptionerError
from captioner.media.batches import load_batches
from captioner.media.image import load_image
from captioner.training.config import StageConfig
from captioner.vision.encoder import VGG16Encoder

# Pictures that are captioned at once: wide enough for the matrix units, a few MB of states.
_VALIDATION_BATCH = 100


class StageData:
    """Reads pictures while VGG16 is trained, and its stored features while it is frozen.

    Pictures that could not be read when the store was made are left out.

    Args:
        features: Folder of the feature store, which is made where it is not there, and else gone
            on with.
        stage: The stage's.
        dataset: Pictures and captions.
        encoder: The stage's encoder, with the weights that the stage begins with.
        views: How many views of each training picture are stored beside its features, and drawn
            from; their stores are made where they are not there.

    Attributes:
        train, validation: The readable examples of the two splits.

    Raises:
        CaptionerError: If the store does not fit, or the stage asks for what its input cannot.
    """

    def __init__(
        self,
        features: str | Path,
        stage: StageConfig,
        dataset: CaptionDataset,
        encoder: VGG16Encoder,
        views: int = 0,
    ) -> None:
        self.stage = stage
        self.size = encoder.image_size
        if dataset.has_clips and stage.trainable_from is not None:
            raise CaptionerError(
                f"stage {stage.name}: VGG16 can be trained on pictures, not on clips; leave "
                "trainable_from out, or drop the stage"
            )
        if stage.trainable_from is None and (stage.flip or stage.crop < 1):
            raise CaptionerError(
                f"stage {stage.name}: flip and crop need pictures; stored features do not "
                "change, so leave them out or give trainable_from"
            )
        self.store = prepare_features(dataset, encoder, features)
        if stage.trainable_from is None:
            self._views = [
                prepare_features(dataset, encoder, f"{features}_view{n}", view=View(seed=n))
                for n in range(1, views + 1)
            ]
        self.train = self._readable(dataset, "train")
        self.validation = self._readable(dataset, "val")

    def read(
        self, examples: list[CaptionExample], rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        """The input for some examples: as of `FeatureStore.inputs`, or images (B, 1, H, W, 3)."""
        if self.stage.trainable_from is None:
            return self._read_features([example.image_id for example in examples], rng)
        images = [
            augment(
                load_image(example.path, size=self.size),
                rng,
                crop=self.stage.crop,
                flip=self.stage.flip and can_flip(example.tokens),
            )
            for example in examples
        ]
        return {"images": np.stack(images)[:, np.newaxis]}

    def validation_inputs(
        self, engine: KerasEngine
    ) -> Iterator[tuple[list[str], dict[str, np.ndarray]]]:
        """Yields image ids of the validation split, and what `FeatureStore.inputs` gives."""
        ids = [example.image_id for example in self.validation]
        if self.stage.trainable_from is None:
            for start in range(0, len(ids), _VALIDATION_BATCH):
                chosen = ids[start : start + _VALIDATION_BATCH]
                yield chosen, self.store.inputs(chosen)
            return
        paths = [example.path for example in self.validation]
        for batch in load_batches(paths, self.size, _VALIDATION_BATCH):
            for reason in batch.errors.values():
                raise CaptionerError(f"a picture went missing during training: {reason}")
            features = engine.encode(batch.images[:, np.newaxis])
            yield [ids[i] for i in batch.indices], {"features": features}

    def _read_features(
        self, image_ids: list[str], rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        if not self._views:
            return self.store.inputs(image_ids)
        stores = [self.store, *self._views]
        # (B, frames): different looks at each picture, in random order.
        looks = rng.permuted(np.tile(range(len(stores)), (len(image_ids), 1)), axis=1)
        looks = looks[:, : self.stage.frames]
        features = np.stack(
            [
                np.concatenate([stores[look][image_id] for look in row])
                for image_id, row in zip(image_ids, looks, strict=True)
            ]
        )
        if self.stage.frames == 1:
            return {"features": features}
        lengths = rng.integers(1, self.stage.frames, len(image_ids), endpoint=True)
        mask = np.arange(self.stage.frames) < lengths[:, np.newaxis]
        return {"features": features, "frame_mask": mask}

    def _readable(self, dataset: CaptionDataset, split: str) -> list[CaptionExample]:
        return [example for example in dataset.split(split) if example.image_id in self.store]
