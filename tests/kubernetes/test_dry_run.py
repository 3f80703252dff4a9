"""What an API server says to the manifests, without carrying them out: it finds what schemas don't."""

from pathlib import Path
from typing import Final

import pytest

from support.kubernetes.control_plane import Cluster

OVERLAYS: Final = Path(__file__).parents[2] / "deploy" / "kubernetes" / "overlays"


@pytest.fixture(scope="module", params=["small", "production"])
def overlay(request: pytest.FixtureRequest) -> Path:
    return OVERLAYS / str(request.param)


@pytest.fixture(scope="module")
def restricted(cluster: Cluster, overlay: Path) -> str:
    """A namespace whose pods may do least."""
    name = f"restricted-{overlay.name}"
    cluster.kubectl("create", "namespace", name)
    enforced = ("enforce", "warn")
    cluster.kubectl("label", "namespace", name, *(f"pod-security.kubernetes.io/{each}=restricted" for each in enforced))
    return name


def test_an_api_server_takes_every_manifest_without_a_warning(cluster: Cluster, overlay: Path, restricted: str) -> None:
    answer = cluster.answer(
        "apply", f"--namespace={restricted}", "--dry-run=server", "--validate=strict", "--kustomize", overlay
    )

    assert answer.returncode == 0, answer.stderr
    assert answer.stderr == ""
    assert answer.stdout.count("created (server dry run)") == len(answer.stdout.splitlines())


def test_the_check_is_no_formality(cluster: Cluster, overlay: Path, restricted: str) -> None:
    """A quantity that is none, a field that there is not, and a pod that may become root are told."""
    rendered = cluster.kubectl("kustomize", overlay)
    for right, wrong, told in [
        ("memory: 256Mi", "memory: 256Mb", "quantities must match the regular expression"),
        (
            "enableServiceLinks: false",
            "enableServiceLink: false",
            'unknown field "spec.template.spec.enableServiceLink"',
        ),
        ("runAsNonRoot: true", "runAsNonRoot: false", 'would violate PodSecurity "restricted:latest"'),
    ]:
        answer = cluster.answer(
            "apply",
            f"--namespace={restricted}",
            "--dry-run=server",
            "--validate=strict",
            "--filename=-",
            stdin=rendered.replace(right, wrong),
        )
        assert told in answer.stderr
