"""What keeps the libraries below from reporting their use to their makers."""

import os
import sys

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
