"""`collector up` and its like, with all services."""

import json
import os
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.local.artifacts.installed import installed
from deploy.local.errors import LocalError
from support.end_to_end.local_stack import COLLECTOR, SECONDS, TIMESTAMP, LocalStack


def answer_with(stack: LocalStack, clicks: int) -> str:
    """The answer, once it holds as many clicks; the last one that was had if it never does."""
    give_up = time.monotonic() + SECONDS
    while True:
        answer = httpx.get(f"{stack.url}/analytics", params={"timestamp": TIMESTAMP}, timeout=SECONDS).text
        if f"clicks,{clicks}\n" in answer or time.monotonic() > give_up:
            return answer


def accepted(port: object) -> float:
    """How many actions an ingest process has acknowledged."""
    metrics = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=SECONDS).text
    return float(
        next(line for line in metrics.splitlines() if "actions_accepted_total " in line and line[0] != "#").split()[-1]
    )


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    try:
        installed()
    except LocalError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no local stack: {error}")
    stack = LocalStack(tmp_path_factory.mktemp("stack"))
    try:
        stack.up()
        yield stack
    finally:
        stack("down")


def test_all_processes_run_under_their_names(stack: LocalStack) -> None:
    assert stack.states() == dict.fromkeys(
        ["kafka", "influxdb", "ingest-1", "worker-1", "worker-2", "aggregator-1", "rollup-1", "gateway"], "running"
    )


def test_what_is_posted_at_the_gateway_is_counted_and_survives_a_restart(stack: LocalStack) -> None:
    assert stack.post("alice") == 204
    assert stack.post("bob") == 204
    assert answer_with(stack, clicks=2) == "unique_users,2\nclicks,2\nimpressions,0\n"

    stack("down")
    assert stack.states() == {}
    stack.up()

    assert answer_with(stack, clicks=2) == "unique_users,2\nclicks,2\nimpressions,0\n"


def test_no_secret_is_readable_by_others_or_in_the_arguments_of_a_process(stack: LocalStack) -> None:
    tokens = {file.name: file for file in (stack.data / "influxdb" / "tokens").iterdir()}
    assert set(tokens) == {"admin", "writer", "reader"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in tokens.values()} == {0o600}
    assert stat.S_IMODE((stack.data / "influxdb").stat().st_mode) == 0o700
    for row in stack.processes().values():
        shown = "".join(Path(f"/proc/{row['pid']}/{name}").read_text() for name in ("cmdline", "environ"))
        assert not [name for name, file in tokens.items() if file.read_text().strip() in shown]


def test_the_store_answers_nobody_without_a_token(stack: LocalStack) -> None:
    port = stack.processes()["influxdb"]["port"]
    asked = {"q": "SHOW DATABASES"}
    assert httpx.get(f"http://127.0.0.1:{port}/query", params=asked, timeout=SECONDS).status_code == 401


def test_each_process_is_given_the_token_that_it_needs(stack: LocalStack) -> None:
    given = {}
    for name, row in stack.processes().items():
        environment = Path(f"/proc/{row['pid']}/environ").read_text().split("\0")
        files = [line.partition("=")[2] for line in environment if line.startswith("COLLECTOR_INFLUX_TOKEN_FILE=")]
        given[name.partition("-")[0]] = [Path(file).name for file in files]
    assert given["ingest"] == given["gateway"] == given["kafka"] == []
    assert given["worker"] == given["rollup"] == ["writer"]
    assert given["aggregator"] == ["reader"]


def test_an_audit_of_the_stack_reads_what_it_holds(stack: LocalStack) -> None:
    assert stack.post("erin") == 204
    verdict = json.loads(stack("audit", "--json"))
    assert verdict["outcome"] == "equal"


def test_workers_join_and_leave_and_a_killed_one_is_started_again(stack: LocalStack) -> None:
    stack("scale", "workers", "3")
    assert stack.states()["worker-3"] == "running"

    stack.send("worker-1", signal.SIGKILL)
    assert stack.states()["worker-1"] == "dead"

    stack("scale", "workers", "1")
    assert {name: state for name, state in stack.states().items() if "worker" in name} == {"worker-1": "running"}


def test_the_gateway_goes_on_when_one_of_two_ingest_processes_is_killed(stack: LocalStack) -> None:
    stack("scale", "ingest", "2")

    stack.send("ingest-1", signal.SIGKILL)

    assert [stack.post("carol") for _ in range(4)] == [204] * 4


def test_the_documents_of_both_services_are_shown_as_one(stack: LocalStack) -> None:
    paths = httpx.get(f"{stack.url}/openapi.json", timeout=SECONDS).json()["paths"]

    assert {"get", "post"} <= set(paths["/analytics"])
    assert {"/v1/actions", "/v1/hours/{hour}"} <= set(paths)


def test_the_gateway_sends_to_each_process_that_joins_and_to_none_that_left(stack: LocalStack) -> None:
    stack("scale", "ingest", "3")
    for _ in range(6):
        assert stack.post("dora") == 204
    ports = [row["port"] for name, row in stack.processes().items() if name.startswith("ingest")]
    assert all(accepted(port) for port in ports)

    stack("scale", "ingest", "1")

    assert [stack.post("dora") for _ in range(6)] == [204] * 6


def test_logs_can_be_read(stack: LocalStack) -> None:
    assert "Uvicorn running" in stack("logs", "aggregator-1")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_second_stack_beside_the_first(
    stack: LocalStack, tmp_path: Path, number: signal.Signals
) -> None:
    other = LocalStack(tmp_path)
    with subprocess.Popen(
        [COLLECTOR, "up", "--workers", "1", "--port", str(other.port), "--data", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as foreground:
        assert foreground.stdout is not None
        seen = next(line for line in foreground.stdout if "Ctrl-C stops it" in line)
        assert seen
        assert set(other.states().values()) == {"running"}

        foreground.send_signal(number)
        rest = foreground.stdout.read()

    assert foreground.returncode == 0
    assert [line.split()[1].rstrip(",") for line in rest.splitlines() if line.startswith("Stopping")] == [
        "gateway",
        "ingest-1",
        "worker-1",
        "aggregator-1",
        "rollup-1",
        "influxdb",
        "kafka",
    ]
    assert other.states() == {}
    assert stack.states()["kafka"] == "running"


def test_an_interruption_while_starting_leaves_nothing_running(stack: LocalStack, tmp_path: Path) -> None:
    del stack  # only so that it is skipped where the others are
    other = LocalStack(tmp_path)
    with subprocess.Popen(
        [COLLECTOR, "up", "--port", str(other.port), "--data", str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as foreground:
        while "kafka" not in other.states():
            assert foreground.poll() is None
        kafka = int(other.processes()["kafka"]["pid"])

        foreground.send_signal(signal.SIGINT)
        foreground.wait(SECONDS)

    assert foreground.returncode == 130
    assert other.states() == {}
    with pytest.raises(ProcessLookupError):
        os.kill(kafka, 0)
