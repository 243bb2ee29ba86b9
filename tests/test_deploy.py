"""What can be told of the image and the manifest without Docker and Kubernetes."""

import re
import shlex
import tomllib
from pathlib import Path

import yaml

from captioner.cli.batch import batch

DEPLOY = Path(__file__).parents[1] / "scripts" / "deploy"


def test_the_manifest_runs_a_command_that_there_is():
    job = yaml.safe_load((DEPLOY / "batch.yaml").read_text(encoding="utf-8"))
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    program, command, *arguments = shlex.split(job["spec"]["entrypoint"])
    assert (program, command) == ("captioner", "batch")
    given = batch.make_context("batch", arguments).params
    assert given["address"] == "auto"
    cluster = job["spec"]["rayClusterSpec"]
    (group,) = cluster["workerGroupSpecs"]
    (worker,) = group["template"]["spec"]["containers"]
    (head,) = cluster["headGroupSpec"]["template"]["spec"]["containers"]
    assert worker["image"] == head["image"]
    assert int(worker["resources"]["limits"]["cpu"]) % given["threads"] == 0


def test_the_image_copies_and_installs_what_there_is():
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    root = DEPLOY.parents[1]
    for names in re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE):
        assert [name for name in names.split() if not (root / name).exists()] == []
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extras in re.findall(r'"/src\[([\w,]+)\]"', text):
        assert set(extras.split(",")) <= set(project["optional-dependencies"])
    # What setup reads must be there when it is installed.
    copied = " ".join(re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE))
    assert project["readme"] in copied
    assert all(each.partition("/")[0] in copied for each in project["license-files"])
    python = re.search(r"FROM python:(\d+\.\d+)", text)[1]
    assert project["requires-python"] == f">={python}"
