"""deploy/compose.yaml on a real engine: comes up by the guide's commands, and its numbers are exact."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from support.compose.exactness import require_exact
from support.compose.stack import OURS, SECONDS, URL, Stack
from support.end_to_end.oracle import until_caught_up
from support.end_to_end.traffic import send

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(1_200)]

REAL = Path(__file__).parents[1] / "e2e" / "data" / "web-2015-05.ndjson"


def test_the_guide_s_commands_do_what_it_says(guided: dict[str, str]) -> None:
    (posted,) = [said for line, said in guided.items() if line.startswith("curl -i")]
    assert posted.startswith("HTTP/1.1 204 No Content")


async def test_numbers_outlive_the_containers(guided: dict[str, str], http: httpx.AsyncClient) -> None:
    """The guide ended all of them, and they were started anew."""
    assert guided
    await until_caught_up(http, URL, SECONDS)
    yesterday = str(datetime.now(UTC).date() - timedelta(days=1))
    answer = await http.get(f"{URL}/v1/totals", params={"from": yesterday})
    assert answer.status_code == httpx.codes.OK, answer.text
    found = answer.json()
    assert (found["clicks"], found["unique_users"]) == (1, 1)


def test_every_container_of_ours_is_ready_and_runs_as_who_may_nothing(guided: dict[str, str], stack: Stack) -> None:
    assert guided
    found = stack.containers(*OURS, "gateway", "kafka", "influxdb")
    assert {one.health for one in found} == {"healthy"}
    for one in stack.containers(*OURS):
        status = Path(f"/proc/{one.pid}/status").read_text()
        assert "\nUid:\t10001\t10001\t10001\t10001\n" in status
        assert "\nCapBnd:\t0000000000000000\n" in status
        assert "\nNoNewPrivs:\t1\n" in status


def test_the_image_adds_less_than_120_mb_to_its_base(guided: dict[str, str], stack: Stack) -> None:
    assert guided
    ours = "user-actions-collector"
    base = _inspected(stack, ours, '(index .Config.Labels "org.opencontainers.image.base.name")')
    assert int(_inspected(stack, ours, ".Size")) - int(_inspected(stack, base, ".Size")) < 120_000_000


def _inspected(stack: Stack, image: str, asked: str) -> str:
    return stack.run(f"docker image inspect --format '{{{{{asked}}}}}' {image}").strip()


async def test_every_hour_of_the_real_file_is_right(stack: Stack, http: httpx.AsyncClient) -> None:
    actions = [json.loads(line) for line in REAL.read_text().splitlines()]
    async with stack.client(stack.add_key("loader", "write", "backfill")) as loader:
        await send(loader, URL, actions)

    await require_exact(http, actions)
