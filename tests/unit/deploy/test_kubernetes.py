"""The manifests as kustomize renders them. That they run is tests/kubernetes's matter."""

import os
import subprocess
import sysconfig
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest
import yaml
from pydantic import TypeAdapter
from pydantic_settings import BaseSettings

from aggregator.rollup.settings import RollupSettings
from aggregator.settings import AggregatorSettings
from deploy.provision import ProvisionSettings
from ingest_api.settings import IngestSettings
from stream_workers.settings import WorkerSettings

FOLDER: Final = Path(__file__).parents[3] / "deploy" / "kubernetes"
OVERLAYS: Final = ("small", "production", "production on Cassandra")
KUBECTL: Final = Path(sysconfig.get_path("scripts")) / "kubectl"
VERSION: Final = "1.37"
OF_OTHERS: Final = {"HTTPRoute", "ScaledObject"}
"""Kinds that the cluster itself doesn't know; tests/kubernetes has their definitions."""
PROGRAMS: Final[dict[str, type[BaseSettings]]] = {
    "aggregator": AggregatorSettings,
    "aggregator.rollup": RollupSettings,
    "deploy.provision": ProvisionSettings,
    "ingest_api": IngestSettings,
    "stream_workers": WorkerSettings,
}
NEEDED: Final = {"COLLECTOR_HOST", "COLLECTOR_KAFKA_BOOTSTRAP", "COLLECTOR_INFLUX_URL"}
"""Their defaults are for one machine."""
DRAINS: Final = {
    "ingest": "ingest_drain_timeout",
    "worker": "worker_drain_timeout",
    "aggregator": "aggregator_drain_timeout",
    "rollup": "aggregator_drain_timeout",
}
"""By a service's name: the setting that says for how long it may drain."""

Manifest = dict[str, Any]


@pytest.fixture(scope="module", params=OVERLAYS)
def manifests(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """What `kubectl apply --kustomize` would send."""
    name, _, store = request.param.partition(" on ")
    overlay = FOLDER / "overlays" / name
    if store:
        overlay = with_component(overlay, store.lower(), tmp_path_factory.mktemp("overlay"))
    rendered = subprocess.run([KUBECTL, "kustomize", overlay], capture_output=True, text=True, check=False)
    assert not rendered.returncode, rendered.stderr
    return list(yaml.safe_load_all(rendered.stdout))


def with_component(overlay: Path, component: str, folder: Path) -> Path:
    """An overlay of an overlay, as a reader of the component writes it."""
    from_there = {"resources": [overlay], "components": [FOLDER / "components" / component]}
    # kustomize takes no absolute paths.
    relative = {kind: [os.path.relpath(path, folder) for path in paths] for kind, paths in from_there.items()}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump({"kind": "Kustomization", **relative}))
    return folder


def of_kind(manifests: list[Manifest], *kinds: str) -> Iterator[Manifest]:
    """Those of some kinds."""
    return (manifest for manifest in manifests if manifest["kind"] in kinds)


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    """Pod specifications by the name of what makes them."""
    makers = of_kind(manifests, "Deployment", "Job", "StatefulSet")
    return {maker["metadata"]["name"]: maker["spec"]["template"]["spec"] for maker in makers}


def ours(manifests: list[Manifest]) -> dict[str, Manifest]:
    """Likewise, those of this project's image."""
    return {
        name: pod
        for name, pod in pods(manifests).items()
        if pod["containers"][0]["image"].partition(":")[0].endswith("user-actions-collector")
    }


def environment(manifests: list[Manifest], pod: Manifest) -> dict[str, str]:
    """What its container finds set."""
    (container,) = pod["containers"]
    maps = {each["metadata"]["name"]: each["data"] for each in of_kind(manifests, "ConfigMap")}
    values: dict[str, str] = {}
    for source in container["envFrom"]:
        values |= maps[source["configMapRef"]["name"]]
    return values | {each["name"]: each.get("value", "of a secret") for each in container["env"]}


def drain_timeout(manifests: list[Manifest], pod: Manifest, field: str) -> timedelta:
    """As it is set, or else by default."""
    default = PROGRAMS[pod["containers"][0]["args"][0]].model_fields[field].default
    value = environment(manifests, pod).get(f"COLLECTOR_{field.upper()}", default)
    return TypeAdapter(timedelta).validate_python(value)


def test_each_manifest_keeps_to_its_schema(manifests: list[Manifest]) -> None:
    for manifest in manifests:
        if manifest["kind"] not in OF_OTHERS:
            kubernetes_validate.validate(manifest, VERSION, strict=True)


def test_each_setting_is_one_of_a_program_and_those_without_a_sensible_default_are_set(
    manifests: list[Manifest], tmp_path: Path
) -> None:
    # Files that settings name are looked at when settings are made.
    file = tmp_path / "file"
    file.write_text("x")
    known = {f"COLLECTOR_{name.upper()}" for program in PROGRAMS.values() for name in program.model_fields}

    for pod in ours(manifests).values():
        assert pod["containers"][0]["args"][0] in PROGRAMS
        values = environment(manifests, pod)
        assert values.keys() <= known
        assert values.keys() >= NEEDED
        program = PROGRAMS[pod["containers"][0]["args"][0]]
        program.model_validate(
            {
                field: file if field.endswith("_file") else values[f"COLLECTOR_{field.upper()}"]
                for field in program.model_fields
                if f"COLLECTOR_{field.upper()}" in values
            }
        )


def test_each_program_runs_that_has_something_to_do(manifests: list[Manifest]) -> None:
    pods_of_ours = ours(manifests)
    store = environment(manifests, pods_of_ours["worker"]).get("COLLECTOR_STORE")

    assert {pod["containers"][0]["args"][0] for pod in pods_of_ours.values()} == PROGRAMS.keys() - (
        {"aggregator.rollup"} if store == "cassandra" else set()
    )


def test_a_file_that_a_setting_names_lies_in_a_secret_that_is_mounted(manifests: list[Manifest]) -> None:
    for pod in ours(manifests).values():
        mounts = {each["mountPath"]: each["name"] for each in pod["containers"][0].get("volumeMounts", [])}
        secrets = {each["name"] for each in pod.get("volumes", []) if "secret" in each}
        for name, value in environment(manifests, pod).items():
            if name.endswith("_FILE"):
                assert mounts[str(Path(value).parent)] in secrets


def test_a_pod_has_more_time_to_stop_than_it_takes(manifests: list[Manifest]) -> None:
    services = ours(manifests)

    for name in services.keys() & DRAINS.keys():
        drain = drain_timeout(manifests, services[name], DRAINS[name])
        hook = services[name]["containers"][0].get("lifecycle", {}).get("preStop", {"sleep": {"seconds": 0}})
        grace = timedelta(seconds=services[name]["terminationGracePeriodSeconds"])
        assert grace >= drain + timedelta(seconds=hook["sleep"]["seconds"] + 10)


@pytest.mark.parametrize("name", ["ingest", "aggregator"])
def test_what_takes_requests_goes_on_for_a_moment_when_it_is_told_to_stop(manifests: list[Manifest], name: str) -> None:
    """Until no proxy of the cluster sends it any."""
    assert ours(manifests)[name]["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"] > 0


def test_no_pod_may_do_more_than_it_needs(manifests: list[Manifest]) -> None:
    for pod in pods(manifests).values():
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("namespace", ["monitoring", "collector", "elsewhere"])
def test_everybody_may_ask_the_apis_and_only_prometheus_the_pages_of_others(
    manifests: list[Manifest], namespace: str
) -> None:
    makers = {each["metadata"]["name"]: each for each in of_kind(manifests, "Deployment", "Job")}
    services = makers.keys() & DRAINS.keys()

    admitting = {name for name in services if may_be_asked(manifests, makers[name], namespace)}

    assert admitting == (services if namespace == "monitoring" else {"ingest", "aggregator"})
    assert not may_be_asked(manifests, makers["provision"], namespace)


def may_be_asked(manifests: list[Manifest], maker: Manifest, namespace: str) -> bool:
    """Whether a policy lets pods of a namespace in; without any for the pods that are asked, everybody may come in."""
    labels = maker["spec"]["template"]["metadata"]["labels"]
    policies = [
        each["spec"] for each in of_kind(manifests, "NetworkPolicy") if selects(each["spec"]["podSelector"], labels)
    ]
    bounding = [policy for policy in policies if "Ingress" in policy["policyTypes"]]
    rules = [rule for policy in bounding for rule in policy.get("ingress", [])]
    own = {"kubernetes.io/metadata.name": namespace}
    return not bounding or any(
        {"port": "http"} in rule["ports"]
        and ("from" not in rule or any(selects(peer["namespaceSelector"], own) for peer in rule["from"]))
        for rule in rules
    )


def selects(selector: Manifest, labels: dict[str, str]) -> bool:
    """Labels that are equal, and keys whose value is one of some."""
    assert selector.keys() <= {"matchLabels", "matchExpressions"}
    expressions = selector.get("matchExpressions", [])
    assert all(each["operator"] == "In" for each in expressions)
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(each["key"]) in each["values"] for each in expressions
    )


def test_our_containers_cannot_write_to_their_image(manifests: list[Manifest]) -> None:
    for pod in ours(manifests).values():
        assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True


def test_each_service_may_lose_one_pod_at_a_time(manifests: list[Manifest]) -> None:
    budgets = {each["metadata"]["name"]: each["spec"] for each in of_kind(manifests, "PodDisruptionBudget")}

    assert budgets.keys() == {"ingest", "worker", "aggregator"}
    assert all(budget["maxUnavailable"] == 1 for budget in budgets.values())


def test_a_probe_that_restarts_asks_only_whether_the_process_lives(manifests: list[Manifest]) -> None:
    """A store that is away is no reason to restart workers."""
    services = ours(manifests)
    for name in services.keys() & DRAINS.keys():
        (container,) = services[name]["containers"]
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
        assert container["startupProbe"]["httpGet"]["path"] == "/healthz"
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_behind_a_gateway_clients_are_counted_by_their_own_addresses(manifests: list[Manifest]) -> None:
    """Else all of them share what one address may have."""
    for route in of_kind(manifests, "HTTPRoute"):
        for rule in route["spec"]["rules"]:
            (service,) = rule["backendRefs"]
            assert environment(manifests, ours(manifests)[service["name"]])["COLLECTOR_TRUSTED_PROXIES"]


def test_whoever_scales_a_service_is_not_contradicted(manifests: list[Manifest]) -> None:
    """A number of replicas in the manifest would take back, at each `apply`, what the autoscaler did."""
    scalers = of_kind(manifests, "HorizontalPodAutoscaler", "ScaledObject")
    scaled = {scaler["spec"]["scaleTargetRef"]["name"] for scaler in scalers}

    for deployment in of_kind(manifests, "Deployment"):
        assert ("replicas" in deployment["spec"]) is (deployment["metadata"]["name"] not in scaled)


def test_an_image_that_is_on_the_node_is_not_asked_for_again(manifests: list[Manifest]) -> None:
    """Else the tag `latest`, of an image that was built by hand, is asked of a registry that does not have it."""
    for pod in ours(manifests).values():
        assert pod["containers"][0]["imagePullPolicy"] == "IfNotPresent"


def test_keda_asks_the_same_kafka_and_wants_no_more_workers_than_there_are_partitions(
    manifests: list[Manifest],
) -> None:
    for scaled in of_kind(manifests, "ScaledObject"):
        values = environment(manifests, ours(manifests)["worker"])
        (trigger,) = scaled["spec"]["triggers"]
        assert trigger["metadata"]["bootstrapServers"] == values["COLLECTOR_KAFKA_BOOTSTRAP"]
        assert trigger["metadata"]["topic"] == WorkerSettings().topic
        assert trigger["metadata"]["consumerGroup"] == WorkerSettings().consumer_group
        partitions = values.get("COLLECTOR_PROVISION_PARTITIONS", ProvisionSettings().provision_partitions)
        assert scaled["spec"]["maxReplicaCount"] == int(partitions)
