"""Settings of the libraries that run the network: telemetry, log messages and precision."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Documented switches of these libraries.
_SWITCHES = {
    "DO_NOT_TRACK": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
}


def switch_telemetry_off() -> None:
    """Switch off telemetry of OpenVINO, NNCF, Hugging Face, Gradio and Ray.

    Variables that the user has set do not change. OpenVINO and NNCF send an event to Google
    Analytics when they are imported, unless the package for it is missing. So this function must
    be called before they are imported.

    Example:
        >>> switch_telemetry_off()
        >>> sys.modules["openvino_telemetry"] is None
        True
    """
    # With None here, an import fails as if the package were not installed.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    for name, value in _SWITCHES.items():
        os.environ.setdefault(name, value)


@contextmanager
def tensorflow_logs_hidden() -> Iterator[None]:
    """Hide TensorFlow's log messages during its import, so that errors can be seen.

    Its libraries write some lines to file descriptor 2 before they read TF_CPP_MIN_LOG_LEVEL. If
    the user sets this variable to less than 3, all messages are shown.
    """
    level = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if level != "3" or sys.stderr is None:
        yield
        return
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


_POLICIES = {"bfloat16": "mixed_bfloat16", "float32": "float32"}


def compute_policy(precision: str = "auto") -> str:
    """Return the Keras dtype policy for a precision.

    CPUs with AMX or AVX512-BF16 multiply bfloat16 matrices several times faster than float32, and
    captions do not change measurably; other CPUs emulate bfloat16 slowly.

    Args:
        precision: "float32", "bfloat16", or "auto" to choose by the hardware.

    Returns:
        "mixed_bfloat16" or "float32".

    Example:
        >>> compute_policy("float32")
        'float32'
    """
    if precision == "auto":
        precision = "bfloat16" if _multiplies_bfloat16() else "float32"
    return _POLICIES[precision]


def _multiplies_bfloat16() -> bool:
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return False
    flags = next((x for x in cpuinfo.read_text().splitlines() if x.startswith("flags")), "")
    return bool({"amx_bf16", "avx512_bf16"} & set(flags.split()))
