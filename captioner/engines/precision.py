"""Which number format the network runs in on this machine."""

from pathlib import Path

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
