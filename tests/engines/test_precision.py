import platform
from pathlib import Path

import pytest

from captioner.engines.runtime import compute_policy


def test_names_of_keras_policies():
    assert compute_policy("float32") == "float32"
    assert compute_policy("bfloat16") == "mixed_bfloat16"


@pytest.mark.skipif(platform.system() != "Linux", reason="reads /proc/cpuinfo")
def test_auto_follows_the_processor():
    flags = Path("/proc/cpuinfo").read_text()
    has_it = any(flag in flags for flag in ("amx_bf16", "avx512_bf16"))
    assert compute_policy() == ("mixed_bfloat16" if has_it else "float32")
