"""The examples of docs/producers.md that need programs and packages of their own, on the whole pipeline."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from stores.influx.settings import InfluxSettings
from support.builds.benthos import BENTHOS
from support.builds.clients import python_packages
from support.end_to_end.pipeline import Pipeline
from support.pipeline.collector_program import collector
from support.producers.exactness import Produce, is_exact
from support.producers.guide import example
from support.producers.running import run

pytestmark = pytest.mark.clients

PARTITIONS = 8
On = Callable[[Pipeline, Path], Produce]
"""The producer, for a pipeline and a folder of its own."""


@pytest.fixture
def pipeline(
    influx1: InfluxSettings, tmp_path: Path, kafka_bootstrap: str, create_topic: Callable[..., str]
) -> Iterator[Pipeline]:
    with closing(Pipeline(tmp_path, kafka_bootstrap, create_topic(PARTITIONS), create_topic(1), influx1)) as one:
        yield one


def kafka_python(pipeline: Pipeline, _: Path) -> Produce:
    environment = {**pipeline.environment, "PYTHONPATH": str(python_packages())}
    return lambda made: run([sys.executable, "-c", example("kafka-python")], made, environment)


def kcat(pipeline: Pipeline, _: Path) -> Produce:
    return lambda made: run(["bash", "-c", example("kcat")], made, pipeline.environment)


def syslog_ng(pipeline: Pipeline, folder: Path) -> Produce:
    configuration = folder / "syslog-ng.conf"
    configuration.write_text(example("syslog-ng"))
    # What it would keep in the system's folders.
    own = [f"--{name}={folder / name}" for name in ("persist-file", "pidfile", "control")]
    command = ["syslog-ng", "--foreground", "--no-caps", f"--cfgfile={configuration}", *own]
    return lambda made: run(command, made, pipeline.environment)


def benthos_4(pipeline: Pipeline, folder: Path) -> Produce:
    if not BENTHOS.path.is_file():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no Benthos: `make test-clients` builds it")
    configuration = folder / "benthos.yaml"
    configuration.write_text(example("Benthos"))
    environment = {**pipeline.environment, "COLLECTOR_PARTITIONS": str(PARTITIONS)}
    # Its own HTTP server has a fixed port.
    command = [BENTHOS.path, "--set", "http.enabled=false", "--config", configuration]
    return lambda made: run(command, made, environment)


@pytest.mark.parametrize(
    ("producer", "mistakes"),
    [
        pytest.param(kafka_python, [], id="kafka-python"),
        pytest.param(kcat, [], id="kcat"),
        pytest.param(syslog_ng, ["no_header"], id="syslog-ng"),
        pytest.param(benthos_4, [], id="benthos"),
    ],
)
async def test_an_example_s_actions_count_once_also_if_they_come_again_by_http(
    producer: On, mistakes: list[str], pipeline: Pipeline, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    await is_exact(pipeline, http, producer(pipeline, tmp_path))

    ended = collector(pipeline.environment, "doctor", "producers", "--json")
    findings = json.loads(ended.stdout)["findings"]
    assert (ended.returncode, [finding["mistake"] for finding in findings]) == (0, mistakes)
