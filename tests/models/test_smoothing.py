import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from captioner.models.clip_features import smooth_frames

CLIPS = arrays(np.float32, (4, 3, 2), elements=st.floats(0, 100, width=32))


@given(CLIPS)
def test_frames_come_nearer_to_their_mean_which_stays(clip):
    smooth = smooth_frames(clip)
    assert smooth.dtype == clip.dtype
    np.testing.assert_allclose(smooth.mean(axis=0), clip.mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(np.ptp(smooth, axis=0), 0.75 * np.ptp(clip, axis=0), atol=1e-3)


@given(CLIPS)
def test_a_single_frame_stays_as_it_is(clip):
    np.testing.assert_array_equal(smooth_frames(clip[:1]), clip[:1])
