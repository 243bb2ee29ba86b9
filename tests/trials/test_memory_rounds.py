import sys
import threading
from pathlib import Path

import pytest

from captioner.captioner import Captioner

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="open files are counted in /proc")
def test_no_file_or_thread_stays_open(tiny_preset, tmp_path, monkeypatch):
    """Broken files and videos among them: an error must close what it had opened."""
    monkeypatch.syspath_prepend(SCRIPTS)
    from trials.memory import measure_rounds, write_sources

    captioner = Captioner.from_preset(tiny_preset)
    sources = write_sources(tmp_path, 40)
    measure_rounds(captioner, sources, 1, beam_width=1)
    threads = threading.active_count()
    found = measure_rounds(captioner, sources, 3, beam_width=1)
    assert len({descriptors for _, descriptors in found}) == 1
    assert threading.active_count() == threads
