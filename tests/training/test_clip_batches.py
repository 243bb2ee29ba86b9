import numpy as np
import pytest

from captioner.models.clip_features import pad_clips
from captioner.training.activity_task import augment_clip, mix
from captioner.training.config import ActivityConfig


def config(**options):
    return ActivityConfig("clips", "features", "run", epochs=1, learning_rate=0.1, **options)


@pytest.fixture
def clip():
    """Each value tells its frame, row and column."""
    t, y, x = np.meshgrid(np.arange(8), np.arange(5), np.arange(5), indexing="ij")
    return np.stack([t, y, x], -1).astype(np.float16)  # (T, H, W, C)


def test_left_out_frames_keep_the_order_of_the_others(clip):
    lengths = set()
    for seed in range(30):
        found = augment_clip(clip, np.random.default_rng(seed), config(drop_frames=0.5))
        frames = found[:, 0, 0, 0]
        assert (np.diff(frames) > 0).all()
        np.testing.assert_array_equal(found, clip[frames.astype(int)])
        lengths.add(len(frames))
    assert lengths == {4, 5, 6, 7, 8}


def test_a_clip_of_two_frames_loses_none(clip):
    found = augment_clip(clip[:2], np.random.default_rng(0), config(drop_frames=0.9))
    np.testing.assert_array_equal(found, clip[:2])


def test_shift_and_flip_move_all_frames_alike(clip):
    seen = set()
    for seed in range(40):
        found = augment_clip(clip, np.random.default_rng(seed), config(shift=1, flip=True))
        rows, columns = found[0, :, 0, 1], found[0, 0, :, 2]
        assert (found[..., 1] == rows[:, None]).all()
        assert (found[..., 2] == columns).all()
        seen.add((tuple(rows), tuple(columns)))
    shifted = [(0, 0, 1, 2, 3), (0, 1, 2, 3, 4), (1, 2, 3, 4, 4)]
    mirrored = [line[::-1] for line in shifted]
    assert seen <= {(rows, columns) for rows in shifted for columns in shifted + mirrored}
    assert len(seen) > 12


def test_mixed_clips_have_the_targets_of_both(clip):
    frames, mask = pad_clips([clip, clip[:3] + 1], frames=8)
    inputs = {"frames": frames, "frame_mask": mask}
    assert inputs["frame_mask"].sum(1).tolist() == [8, 3]
    mixed, targets = mix(inputs, np.eye(2, dtype=np.float32), np.random.default_rng(3), 1.0)
    share = targets[0, 0]
    assert 0 < share < 1
    assert mixed["frame_mask"].sum(1).tolist() == [3, 3]
    expected = share * clip[:3] + (1 - share) * (clip[:3] + 1)
    np.testing.assert_allclose(mixed["frames"][0, :3], expected, atol=0.01)
