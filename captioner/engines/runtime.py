"""Settings of the libraries that run the network: offline, silent, and in which number format."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The switches that these libraries document.
_SWITCHES = {
    "DO_NOT_TRACK": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
}


def switch_telemetry_off() -> None:
    """Switch off reports of OpenVINO, NNCF, Hugging Face, Gradio and Ray; a user's choice stays.

    OpenVINO sends an event to Google Analytics when it is imported, unless the package that sends
    it is missing; NNCF does the same. So this must come before they are imported.

    Example:
        >>> switch_telemetry_off()
        >>> sys.modules["openvino_telemetry"] is None
        True
    """
    # None in its place makes an import fail as if the package were not installed.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    for name, value in _SWITCHES.items():
        os.environ.setdefault(name, value)


@contextmanager
def tensorflow_logs_hidden() -> Iterator[None]:
    """Hide what TensorFlow says of itself while it is imported, so that errors can be seen.

    Its libraries write some lines to file descriptor 2 before they have read TF_CPP_MIN_LOG_LEVEL;
    whoever sets that variable to less than 3 sees them all.
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
    captions do not change measurably; on others bfloat16 is emulated and slow.

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
