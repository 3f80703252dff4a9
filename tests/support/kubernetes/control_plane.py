"""An API server and its store, and what asks it."""

import json
import secrets
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from support.kubernetes.daemons import Daemons
from support.kubernetes.programs import ETCD, KUBERNETES

ADDRESS: Final = "10.250.0.1"
SERVICES: Final = "10.96.0.0/16"

_ETCD: Final = "http://127.0.0.1:2379"
_PORT: Final = 6443
KUBECTL: Final = Path(sysconfig.get_path("scripts")) / "kubectl"


@dataclass(frozen=True, slots=True)
class Cluster:
    """As its administrator sees it."""

    kubeconfig: Path

    def answer(self, *arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """What kubectl does, whether it succeeds or not."""
        command = [KUBECTL, f"--kubeconfig={self.kubeconfig}", *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)

    def kubectl(self, *arguments: str | Path, stdin: str = "") -> str:
        """What it says; it must succeed."""
        answer = self.answer(*arguments, stdin=stdin)
        assert not answer.returncode, f"kubectl {' '.join(map(str, arguments))}: {answer.stderr}"
        return answer.stdout

    def read(self, *arguments: str) -> Any:  # noqa: ANN401 - whatever resource is asked for
        """A resource, or a list of them."""
        return json.loads(self.kubectl("get", "--output=json", *arguments))


@contextmanager
def control_plane(folder: Path) -> Iterator[Cluster]:
    """Expects a network namespace of its own, where its ports are free."""
    kubeconfig = folder / "kubeconfig"
    token = secrets.token_hex()
    _write_credentials(folder, kubeconfig, token)
    cluster = Cluster(kubeconfig)
    with Daemons(folder) as daemons:
        store = ["--data-dir", folder / "etcd", "--unsafe-no-fsync", "--log-level=warn"]
        daemons.start("etcd", [ETCD.path, *store])
        daemons.start("kube-apiserver", [KUBERNETES.path, *_api_server(folder)])
        daemons.wait_until("kube-apiserver", lambda: not cluster.answer("get", "--raw=/readyz").returncode)
        yield cluster


def _api_server(folder: Path) -> list[str]:
    return [
        f"--etcd-servers={_ETCD}",
        f"--secure-port={_PORT}",
        f"--advertise-address={ADDRESS}",
        f"--cert-dir={folder}/certificates",
        f"--service-cluster-ip-range={SERVICES}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={folder}/accounts.pub",
        f"--service-account-signing-key-file={folder}/accounts.key",
        f"--token-auth-file={folder}/tokens.csv",
        "--authorization-mode=RBAC",
        "--kubelet-preferred-address-types=InternalIP",
    ]


def _write_credentials(folder: Path, kubeconfig: Path, token: str) -> None:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "accounts.key").write_bytes(private)
    (folder / "accounts.pub").write_bytes(public)
    (folder / "tokens.csv").write_text(f"{token},administrator,administrator,system:masters\n")
    cluster = {"server": f"https://127.0.0.1:{_PORT}", "insecure-skip-tls-verify": True}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tests", "cluster": cluster}],
        "users": [{"name": "administrator", "user": {"token": token}}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "administrator"}}],
        "current-context": "tests",
    }
    kubeconfig.write_text(json.dumps(config))
