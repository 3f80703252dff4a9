"""`collector status` on a real stack: the screen, and the exit code that scripts look at."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.end_to_end.local_stack import COLLECTOR, SECONDS
from support.monitoring.watched import WatchedStack
from support.pipeline.eventually import eventually

WITHIN = 120.0

pytestmark = pytest.mark.timeout(600)


def status(data: Path, *options: str) -> tuple[int, str]:
    command = [COLLECTOR, "status", "--data", str(data), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    return done.returncode, done.stdout


def told(stack: WatchedStack) -> tuple[int, dict[str, Any]]:
    code, text = status(stack.data, "--json")
    return code, json.loads(text)


async def test_of_a_stack_that_is_well_each_process_runs_and_all_is_known(stack: WatchedStack) -> None:
    await eventually(lambda: told(stack)[0] == 0, WITHIN)

    _, found = told(stack)

    assert (found["outcome"], found["wrong"], found["kafka"], found["store"]) == ("fine", [], "ok", "ok")
    assert {one["name"]: one["state"] for one in found["processes"]} == dict.fromkeys(
        ["kafka", "influxdb", "ingest-1", "worker-1", "aggregator-1", "rollup-1", "gateway"], "running"
    )
    assert found["freshness_seconds"] < 60
    assert "all is well" in status(stack.data)[1]


async def test_processes_elsewhere_are_asked_by_their_addresses(stack: WatchedStack) -> None:
    addresses = [f"http://{one['targets'][0]}" for one in json.loads(stack("targets"))]
    named = [option for address in addresses for option in ("--target", address)]
    command = [COLLECTOR, "status", "--json", *named, "--key-file", str(stack.key_file)]

    def asked() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)

    await eventually(lambda: asked().returncode == 0, WITHIN)
    assert {one["name"]: one["state"] for one in json.loads(asked().stdout)["processes"]} == dict.fromkeys(
        addresses, "running"
    )


async def test_a_dead_worker_is_wrong_and_is_named(stack: WatchedStack) -> None:
    with stack.killed_worker():
        code, found = told(stack)
    assert (code, found["outcome"]) == (1, "wrong")
    assert "worker-1: dead" in found["wrong"]


async def test_a_store_that_hangs_is_wrong_and_is_named(stack: WatchedStack) -> None:
    with stack.stopped("influxdb"):
        await eventually(lambda: "the store does not do what is asked" in told(stack)[1]["wrong"], WITHIN)
        assert told(stack)[0] == 1


def test_where_no_stack_runs_nothing_can_be_told(tmp_path: Path) -> None:
    assert status(tmp_path) == (2, "")
