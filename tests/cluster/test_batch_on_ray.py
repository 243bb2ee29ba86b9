"""Batches on Ray: two nodes, deaths in the middle, an object store, and nothing but loopback."""

import ipaddress
import json
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import psutil
import pyarrow.dataset as ds
import pytest
import s3fs
from films import SAMPLES, photos, write_film
from PIL import Image

from captioner.captioner import Captioner
from captioner.cluster.listing import list_items
from captioner.cluster.object_store import Folder
from captioner.cluster.partitions import Partitions
from captioner.cluster.pipeline import Scale, run_batch
from captioner.cluster.worker import Job
from captioner.errors import CaptionerError
from captioner.presets.storage import read_preset
from captioner.reports.row import encode_row
from captioner.reports.run_record import Settings

pytestmark = pytest.mark.slow

OPTIONS = {"every": None, "batch_size": 4}
OBJECT_STORE = 100_000_000


@pytest.fixture
def cluster():
    """Two nodes of one CPU each, which this process has joined."""
    import ray
    from ray.cluster_utils import Cluster

    options = {"num_cpus": 1, "object_store_memory": OBJECT_STORE}
    nodes = Cluster(initialize_head=True, head_node_args={**options, "include_dashboard": False})
    nodes.second = nodes.add_node(**options)
    ray.init(address=nodes.address, log_to_driver=False, logging_level="error")
    yield nodes
    ray.shutdown()
    nodes.shutdown()


@pytest.fixture
def sources(tmp_path):
    """A folder of images, one of them broken, and a film of many shots."""
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for number in range(47):
        small = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8))
        small.resize((64, 48)).save(folder / f"{number:02}.png")
    (folder / "broken.png").write_bytes(b"no image")
    pictures = photos("cat.jpg", "rocket.jpg", "dog.jpg", "coffee.jpg", size=(64, 64))
    frames = [pictures[n % 4] for n in range(10) for _ in range(13 + n)]
    write_film(folder / "film.mp4", frames)
    return folder


def plain_rows(preset, folder):
    """What plain `caption` says, by path."""
    rows, said = {}, []
    files = sorted(map(str, folder.iterdir()))
    for result in Captioner(preset, "float32").describe(files, **OPTIONS):
        said.append(result.caption)
        if result.last:
            rows[result.source] = json.loads(encode_row(result.source, *said))
            said = []
    return rows


def almost(row):
    """A row whose log-probabilities may differ by what the order of additions makes of them."""
    if isinstance(row, dict):
        return {
            k: pytest.approx(v, abs=2e-3) if k == "log_prob" else almost(v)
            for k, v in row.items()
            if k not in ("key", "version")
        }
    return [almost(each) for each in row] if isinstance(row, list) else row


def workers():
    running = psutil.process_iter(["name"])
    return [p.pid for p in running if (p.info["name"] or "").startswith("ray::MapWorker")]


def test_a_killed_worker_and_a_lost_node_cost_nothing(cluster, sources, tiny_preset, tmp_path):
    preset = read_preset(tiny_preset)
    job = Job(str(tmp_path / "out"), "jsonl", "tiny", preset, precision="float32", options=OPTIONS)
    settings = Settings.of_preset("tiny", tiny_preset, {})
    scale = Scale(unit=2, part=3.0)
    events = []

    def harm(rows):
        events.append(rows)
        if len(events) == 1:
            os.kill(workers()[0], signal.SIGKILL)
        if len(events) == 3:
            cluster.remove_node(cluster.second, allow_graceful=False)

    items = list(list_items([str(sources)]))
    outcome = run_batch(items, job, settings, scale, progress=harm)
    assert len(events) > 4  # there was something left to do after the harm
    partitions = Partitions(Folder(job.out), "jsonl")
    rows = [row for name in partitions.names() for row in partitions.read(name)]
    assert sorted(row["path"] for row in rows) == sorted(item.path for item in items)
    assert {row["path"]: almost(row) for row in rows} == plain_rows(preset, sources)
    assert (outcome.rows, outcome.errors) == (49, 1)
    assert all(0 < memory < 2000 for memory in outcome.memory.values())

    again = run_batch(items, job, settings, scale)
    assert (again.rows, again.errors, again.skipped) == (1, 1, 48)  # the broken one, once more
    with pytest.raises(CaptionerError, match="other settings"):
        run_batch(items, job, Settings.of_preset("tiny", tiny_preset, {"--mirror": True}))


def addresses(process):
    """The addresses that a process and its children are connected to or listen on."""
    for each in [process, *process.children(recursive=True)]:
        try:
            for connection in each.net_connections("inet"):
                for end in (connection.laddr, connection.raddr):
                    if end:
                        yield end.ip.removeprefix("::ffff:")
        except psutil.Error:  # it has ended
            continue


def test_the_command_reads_and_writes_s3_and_stays_on_this_machine(s3_bucket, tiny_preset):
    names = ("cat.jpg", "coffee.jpg", "dog.jpg")
    for name in names:
        s3fs.S3FileSystem().put_file(str(SAMPLES / name), f"{s3_bucket}/photos/{name}")
    code = "from captioner.cli import main; main(prog_name='captioner')"
    command = [sys.executable, "-c", code, "batch", f"{s3_bucket}/photos"]
    command += ["--out", f"{s3_bucket}/out", "--preset", str(tiny_preset), "--cpus", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    seen, ended = set(), threading.Event()

    def look():
        while not ended.wait(0.2):
            seen.update(addresses(psutil.Process(process.pid)))

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    out, err = process.communicate()
    ended.set()
    looking.join()
    assert process.returncode == 0, err
    assert out == f"{s3_bucket}/out: 3 rows, 0 errors\n"
    assert "MiB at most" in err
    assert seen
    assert [ip for ip in seen if not ipaddress.ip_address(ip).is_loopback] == []
    table = ds.dataset(f"{s3_bucket}/out/".removeprefix("s3://"), filesystem=s3fs.S3FileSystem())
    assert table.count_rows() == 3
