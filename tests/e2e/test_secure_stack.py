"""`collector up --secure`: real traffic through TLS and keys, Kafka with users and ACLs, and InfluxDB with tokens."""

import json
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.local.artifacts.installed import installed
from deploy.local.errors import LocalError
from support.end_to_end.oracle import count, differences, until_caught_up
from support.end_to_end.secure_stack import SecureStack

DATA = Path(__file__).parent / "data" / "web-2015-05.ndjson"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureStack]:
    try:
        installed()
    except LocalError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no local stack: {error}")
    stack = SecureStack(tmp_path_factory.mktemp("secure"))
    stack.up()
    yield stack
    stack("down")


async def test_every_hour_of_the_real_file_is_right_and_so_says_the_audit(stack: SecureStack) -> None:
    actions = [json.loads(line) for line in DATA.read_text().splitlines()]

    stack("send", str(DATA))

    async with stack.client(**stack.key) as http:
        await until_caught_up(http, stack.url)
        assert await differences(http, stack.url, count(actions)) == {}
        ledger = (await http.get(f"{stack.url}/v1/ledger")).json()
    assert sum(row["lines"] for row in ledger["partitions"]) == len(actions)
    assert json.loads(stack("audit", "--json"))["outcome"] == "equal"
    assert "2015-05-17 10:00" in stack("report", "--from", "2015-05-17T10", "--to", "2015-05-17T12")


async def test_nobody_gets_in_without_a_key(stack: SecureStack) -> None:
    requests = ("POST", "/analytics?timestamp=1431857103000&user=eve&event=click"), ("GET", "/v1/hours")
    for headers in ({}, {"Authorization": "Bearer uac_guessed"}, {"X-API-Key": "operator"}):
        async with stack.client(**headers) as http:
            for method, path in requests:
                answer = await http.request(method, f"{stack.url}{path}")
                assert answer.status_code == 401, (path, answer.text)
            assert (await http.get(f"{stack.url}/v1/ledger")).status_code in {401, 404}
    ports = [row["port"] for name, row in stack.processes().items() if name.startswith(("ingest", "aggregator"))]
    async with httpx.AsyncClient(trust_env=False) as plain:
        for port in ports:
            assert (await plain.get(f"http://127.0.0.1:{port}/metrics")).status_code == 401


def test_kafka_and_influxdb_answer_nobody_who_does_not_say_who_it_is(stack: SecureStack) -> None:
    ports = {name: row["port"] for name, row in stack.processes().items()}
    plain = AdminClient({"bootstrap.servers": f"127.0.0.1:{ports['kafka']}", "log_level": 0})
    with pytest.raises(KafkaException):
        plain.list_topics(timeout=3)
    influxdb = f"http://127.0.0.1:{ports['influxdb']}/query"
    assert httpx.get(influxdb, params={"q": "SHOW DATABASES"}, trust_env=False).status_code == 401


def test_the_gateway_speaks_no_plain_text(stack: SecureStack) -> None:
    with socket.create_connection(("127.0.0.1", stack.port), timeout=60) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.0 400")


def test_no_secret_of_the_stack_is_readable_by_others_or_shown_by_a_process(stack: SecureStack) -> None:
    folders = [stack.data / "influxdb/tokens", stack.data / "kafka/passwords", stack.data / "keys"]
    secrets = [file for folder in folders for file in folder.iterdir() if file.suffix != ".jsonl"]
    assert len(secrets) >= 8
    assert {stat.S_IMODE(path.stat().st_mode) for path in [*secrets, stack.data / "keys/keys.jsonl"]} == {0o600}
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
    told = "".join(log.read_text(errors="replace") for log in (stack.data / "logs").iterdir())
    for row in stack.processes().values():
        told += "".join(Path(f"/proc/{row['pid']}/{name}").read_text() for name in ("cmdline", "environ"))
    assert not [file for file in secrets if file.read_text().strip() in told]


async def test_it_stays_so_when_it_is_scaled_and_started_again(stack: SecureStack) -> None:
    stack("scale", "ingest", "2")
    stack("scale", "workers", "1")
    stack("down")
    stack("up", "--detach", "--port", str(stack.port))

    actions = [json.loads(line) for line in DATA.read_text().splitlines()]
    async with stack.client(**stack.key) as http:
        await until_caught_up(http, stack.url)
        assert await differences(http, stack.url, count(actions)) == {}
    async with stack.client() as http:
        assert (await http.get(f"{stack.url}/v1/hours")).status_code == 401
