"""Real Prometheus with real exporters, as plain processes on free ports."""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from deploy.local.services.ports import free_port
from deploy.local.services.process import Command
from deploy.local.services.service import Service, status_of
from support.builds.monitoring import program

CONFIGURED: Final = Path(__file__).parents[3] / "deploy/monitoring"
EVERY: Final = 4
"""Seconds between scrapes, which may take as long."""
_SHORTER: Final = 30
"""So many times faster are alerts here."""


class Program(Service):
    """One of the programs."""

    def __init__(self, name: str, folder: Path, *arguments: str) -> None:
        super().__init__(name, free_port(), folder / f"{name}.log")
        self._arguments = arguments

    def prepare(self) -> Command:
        listen = f"--web.listen-address=127.0.0.1:{self.port}"
        return Command([str(program(self.name)), listen, *self._arguments], self.log, {})

    def answers(self) -> bool:
        return status_of(self.port, "/-/ready" if self.name == "prometheus" else "/metrics") == httpx.codes.OK


class Prometheus:
    """Questions to a running one."""

    def __init__(self, port: int) -> None:
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=30, trust_env=False)

    def close(self) -> None:
        self._client.close()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant vector. Fails where the expression is not valid."""
        answer = self._client.get("/query", params={"query": expression}).json()
        assert answer["status"] == "success", (expression, answer)
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """All rules as Prometheus has them."""
        groups = self._client.get("/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def alerts(self, state: str = "firing") -> set[str]:
        """The names of alerts that are so now, or wait to be."""
        found = self._client.get("/alerts").json()["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in found if alert["state"] == state}


@contextmanager
def prometheus(folder: Path, targets: Path, key: Path, gateway: str) -> Iterator[Prometheus]:
    """One that watches the processes in the file `targets`, this machine's disks and the gateway at an address."""
    blackbox = Program("prometheus-blackbox-exporter", folder, f"--config.file={CONFIGURED / 'blackbox.yaml'}")
    node = Program("prometheus-node-exporter", folder, "--collector.disable-defaults", "--collector.filesystem")
    (folder / "alerts.yaml").write_text(
        yaml.safe_dump(_faster(yaml.safe_load((CONFIGURED / "alerts.yaml").read_text())))
    )
    configuration = _configuration(targets, key, gateway, {"node": node.port, "blackbox": blackbox.port})
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration))
    server = Program(
        "prometheus",
        folder,
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
    )
    with ExitStack() as running:
        for one in (blackbox, node, server):
            running.enter_context(one)
        asked = Prometheus(server.port)
        running.callback(asked.close)
        yield asked


def _configuration(targets: Path, key: Path, gateway: str, ports: Mapping[str, int]) -> dict[str, Any]:
    """The local stack's, with a key and other addresses; and the gateway's job of compose's."""
    local, compose = (
        yaml.safe_load((CONFIGURED / name).read_text()) for name in ("prometheus.local.yaml", "prometheus.yaml")
    )
    services, node = local["scrape_configs"]
    services |= {
        "file_sd_configs": [{"files": [str(targets)], "refresh_interval": "1s"}],
        "authorization": {"credentials_file": str(key)},
    }
    node["static_configs"][0]["targets"] = [f"127.0.0.1:{ports['node']}"]
    (probe,) = [job for job in compose["scrape_configs"] if job["job_name"] == "gateway"]
    probe["static_configs"][0]["targets"] = [f"{gateway}/healthz"]
    probe["relabel_configs"][-1]["replacement"] = f"127.0.0.1:{ports['blackbox']}"
    pace = {"scrape_interval": f"{EVERY}s", "scrape_timeout": f"{EVERY}s", "evaluation_interval": "1s"}
    return local | {"global": pace, "scrape_configs": [services, node, probe]}


def _faster(rules: dict[str, Any]) -> dict[str, Any]:
    """The same rules in less time. Spans that rates look at must still hold some scrapes."""
    for group in rules["groups"]:
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = re.sub(r"^(\d+)m$", lambda minutes: f"{int(minutes[1]) * 60 // _SHORTER}s", rule["for"])
            rule["expr"] = re.sub(r"\[[56]m\]", f"[{5 * EVERY}s]", rule["expr"])
    return rules
