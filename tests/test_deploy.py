"""What can be told of the image and the manifest without Docker and Kubernetes."""

import re
import shlex
import tomllib
from pathlib import Path

import yaml
from starlette.testclient import TestClient

from captioner.captioner import Captioner
from captioner.cli.batch import batch
from captioner.cli.serve import serve
from captioner.presets.storage import read_preset
from captioner.web.application import Service, build_application

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


def test_the_server_answers_what_its_manifest_asks(tiny_preset):
    text = (DEPLOY / "serve.yaml").read_text(encoding="utf-8")
    deployment, service = yaml.safe_load_all(text)
    assert (deployment["kind"], service["kind"]) == ("Deployment", "Service")
    pods = deployment["spec"]["template"]
    labels = pods["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels == service["spec"]["selector"]
    (container,) = pods["spec"]["containers"]
    program, command, *arguments = container["args"]
    assert (program, command) == ("captioner", "serve")
    given = serve.make_context("serve", arguments).params
    assert given["host"] == "0.0.0.0"
    (port,) = container["ports"]
    assert port["containerPort"] == given["port"]
    (target,) = service["spec"]["ports"]
    assert target["targetPort"] == port["name"]
    assert container["env"][0] == {
        "name": "CAPTIONER_THREADS", "value": container["resources"]["limits"]["cpu"]
    }  # fmt: skip

    asked = [container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")]
    assert {each["port"] for each in asked} == {port["name"]}
    scraped = pods["metadata"]["annotations"]
    assert scraped["prometheus.io/port"] == str(given["port"])
    paths = [each["path"] for each in asked] + [scraped["prometheus.io/path"]]
    name = service["metadata"]["name"]
    captioner = Captioner(read_preset(tiny_preset))
    client = TestClient(
        build_application(Service(captioner, "tiny", names=given["allow_host"])),
        base_url="http://10.1.2.3:8000",  # as the kubelet and Prometheus do
    )
    for path in paths:
        for host in ("10.1.2.3:8000", name, f"{name}.default.svc"):
            assert client.get(path, headers={"host": host}).status_code == 200


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
