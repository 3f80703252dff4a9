"""`collector up --secure`: Kafka asks everybody who they are."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.local.artifacts.installed import installed
from deploy.local.errors import LocalError
from deploy.local.services.ports import free_port

COLLECTOR = str(Path(sys.executable).with_name("collector"))
SECONDS = 180
HOUR = 1_431_856_800_000


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    try:
        installed()
    except LocalError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no local stack: {error}")
    data = tmp_path / "stack"
    yield data
    subprocess.run([COLLECTOR, "down", "--data", str(data)], capture_output=True, timeout=SECONDS, check=False)


def run(data: Path, *arguments: str) -> str:
    ended = subprocess.run(
        [COLLECTOR, *arguments, "--data", str(data)], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_all_of_it_works_with_users_and_passwords_and_strangers_are_refused(data: Path) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}"
    run(data, "up", "--detach", "--secure", "--workers", "1", "--port", str(port))
    for number in range(20):
        action = {"timestamp": str(HOUR + number), "user": f"user-{number % 7}", "event": "click"}
        assert httpx.post(f"{url}/analytics", params=action, timeout=SECONDS).status_code == 204
    run(data, "scale", "workers", "2")
    # It ends with 0 only if each hour is what the log says; workers have until the rebuild's end to count.
    run(data, "rebuild", "--from", "2015-05-17T10", "--to", "2015-05-17T10")
    assert json.loads(run(data, "audit", "--json"))["lines"] == 20
    answer = httpx.get(
        f"{url}/analytics", params={"timestamp": HOUR}, headers={"Cache-Control": "no-cache"}, timeout=60
    )
    assert answer.text == "unique_users,7\nclicks,20\nimpressions,0\n"

    members = {row["name"]: row for row in json.loads(run(data, "ps", "--json"))}
    assert {row["state"] for row in members.values()} == {"running"}
    kafka = f"127.0.0.1:{members['kafka']['port']}"
    with pytest.raises(KafkaException):
        AdminClient({"bootstrap.servers": kafka, "log_level": 0}).list_topics(timeout=2)

    # A folder whose Kafka asks goes on asking, and no password is anybody else's to read.
    run(data, "down")
    run(data, "up", "--detach", "--workers", "1", "--port", str(port))
    again = {"timestamp": str(HOUR), "user": secrets.token_hex(4), "event": "impression"}
    assert httpx.post(f"{url}/analytics", params=again, timeout=SECONDS).status_code == 204
    with pytest.raises(KafkaException):
        AdminClient({"bootstrap.servers": kafka, "log_level": 0}).list_topics(timeout=2)
    passwords = list((data / "kafka/passwords").iterdir())
    assert {file.name for file in passwords} == {"ingest", "worker", "aggregator", "operator"}
    assert {file.stat().st_mode & 0o077 for file in passwords} == {0}
