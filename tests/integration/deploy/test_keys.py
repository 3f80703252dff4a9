"""docs/keys.md, run as it stands there against real services behind the real gateway; and what their own ports say."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from deploy.local.services.gateway import Gateway
from deploy.local.services.ports import free_port
from deploy.local.services.python_service import PythonService
from support.fixtures.keys import bearer
from support.pipeline.eventually import eventually
from support.pipeline.pipeline import Pipeline

PAGE: Final = Path(__file__).parents[3] / "docs/keys.md"
EXAMPLES: Final = dict(
    re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?^```bash\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
)
SECTIONS: Final = ["Make them", "Send them", "Keys of web pages", "Change them and take them back"]


class Reader:
    """Who copies the examples into a shell, in a folder of their own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.gateway = f"http://127.0.0.1:{port}"

    def run(self, section: str) -> str:
        script = EXAMPLES[section].replace("http://127.0.0.1:8080", self.gateway)
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "COLLECTOR_KEYS_FILE": str(self.folder / "keys.jsonl")}
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def key(self, name: str) -> dict[str, str]:
        return bearer((self.folder / f"{name}.key").read_text().strip())

    def code(self, method: str, target: str, headers: dict[str, str], base: str | None = None) -> str | None:
        """The code of a refusal; None where there is none."""
        url = f"{base or self.gateway}{target}"
        answer = httpx.request(method, url, headers=headers, timeout=60, trust_env=False)
        return None if answer.is_success else str(answer.json()["code"])


@pytest.fixture
def reader(pipeline: Pipeline, environment: dict[str, str], tmp_path: Path) -> Iterator["Served"]:
    folder = tmp_path / "reader"
    folder.mkdir()
    port = free_port()
    one = Reader(folder, port)
    one.run("Make them")
    keys = {"COLLECTOR_KEYS_FILE": str(folder / "keys.jsonl")}
    services = [
        PythonService(name, free_port(), tmp_path / f"{name}.log", name, {**environment, **keys})
        for name in ("ingest_api", "aggregator")
    ]
    upstreams = {
        name: f"127.0.0.1:{service.port}"
        for name, service in zip(("GATEWAY_INGEST", "GATEWAY_AGGREGATOR"), services, strict=True)
    }
    gateway = Gateway(tmp_path / "gateway", port, tmp_path / "gateway.log", upstreams)
    worker = pipeline.started(keys_file=keys["COLLECTOR_KEYS_FILE"])
    started = [*services, gateway]
    try:
        for service in started:
            service.start()
        for service in started:
            service.wait_until_ready()
        yield Served(one, [*(service.port for service in services), worker.port])
    finally:
        for service in started:
            service.kill()


class Served:
    """The reader, and the services' own ports: the ingest API's, the aggregator's, a worker's."""

    def __init__(self, reader: Reader, ports: list[int]) -> None:
        self.reader = reader
        self.own = [f"http://127.0.0.1:{port}" for port in ports]


def test_every_example_is_run() -> None:
    assert list(EXAMPLES) == SECTIONS
    assert PAGE.read_text().count("```bash") == len(SECTIONS)


async def test_the_page_s_examples_do_what_it_says(reader: Served) -> None:
    page = reader.reader
    printed = page.run("Send them")
    hour, end = json.JSONDecoder().raw_decode(printed)
    assert hour["unique_users"] <= 2
    assert re.search(r"accepted +1\b", printed[end:])
    assert re.search(r"hour \(UTC\) +users", printed[end:])
    page.run("Keys of web pages")
    assert (page.folder / "pixel.gif").read_bytes().startswith(b"GIF89a")

    def counted() -> bool:
        headers = page.key("report")
        totals = httpx.get(f"{page.gateway}/v1/totals", headers=headers, timeout=60, trust_env=False).json()
        return [totals[name] for name in ("clicks", "impressions", "unique_users")] == [3, 2, 5]

    await eventually(counted)

    old_shop, old_report, old_page = (page.key(name) for name in ("shop", "report", "page"))
    page.run("Change them and take them back")
    action = "/analytics?timestamp=1700000000000&user=u&event=click"
    await eventually(lambda: page.code("GET", "/v1/hours", page.key("report")) is None)
    await eventually(lambda: page.code("POST", action, page.key("shop-new")) is None)
    assert page.code("POST", action, old_shop) is None
    assert page.code("GET", "/v1/hours", old_report) == "key_unknown"
    assert page.code("POST", action, {**old_page, "Origin": "https://shop.example"}) == "key_unknown"


async def test_real_services_let_nobody_in_without_the_right_key(reader: Served) -> None:
    page = reader.reader
    ingest, aggregator, worker = reader.own
    action = "/analytics?timestamp=1700000000000&user=u&event=click"
    for base in (page.gateway, ingest):
        assert page.code("POST", action, {}, base) == "key_missing"
        assert page.code("POST", action, bearer("uac_other"), base) == "key_unknown"
        assert page.code("POST", action, page.key("report"), base) == "scope_missing"
        assert page.code("POST", "/v1/actions", {}, base) == "key_missing"
    for base in (page.gateway, aggregator):
        assert page.code("GET", "/analytics?timestamp=0", {}, base) == "key_missing"
        assert page.code("GET", "/analytics?timestamp=0", page.key("shop"), base) == "scope_missing"
        assert page.code("GET", "/v1/ledger", page.key("report"), base) == "scope_missing"
        assert page.code("GET", "/v1/ledger", page.key("operator"), base) is None
    for base in (ingest, aggregator, worker):
        assert page.code("GET", "/metrics", {}, base) == "key_missing"
        assert page.code("GET", "/metrics", page.key("report"), base) == "scope_missing"
        assert page.code("GET", "/metrics", page.key("operator"), base) is None
        assert page.code("GET", "/healthz", {}, base) is None
    assert page.code("GET", "/metrics", page.key("operator")) == "not_found"
    assert page.code("GET", "/router/", {}, worker) == "key_missing"
