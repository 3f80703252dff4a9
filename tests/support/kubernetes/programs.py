"""Kubernetes' programs and what they need beside them, built from their Go source."""

from typing import Final

from deploy.local.report import Report
from support.builds.go_program import GoProgram

VERSION: Final = "1.37.2"
"""The last line whose kubelet runs on cgroups of version 1, too."""

_COMMANDS: Final = "k8s.io/kubernetes/cmd"
_LINKED: Final = "k8s.io/component-base/version"
_STAGED: Final = [
    "api",
    "apiextensions-apiserver",
    "apimachinery",
    "apiserver",
    "cli-runtime",
    "client-go",
    "cloud-provider",
    "cluster-bootstrap",
    "code-generator",
    "component-base",
    "component-helpers",
    "controller-manager",
    "cri-api",
    "cri-client",
    "cri-streaming",
    "csi-translation-lib",
    "dynamic-resource-allocation",
    "endpointslice",
    "externaljwt",
    "kms",
    "kube-aggregator",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
    "metrics",
    "mount-utils",
    "pod-security-admission",
    "sample-apiserver",
    "sample-cli-plugin",
    "sample-controller",
    "streaming",
]
"""Modules that Kubernetes' own go.mod replaces by folders of its repository."""


def _module(name: str, *lines: str) -> str:
    return "\n\n".join([f"module {name}", "go 1.26", *lines, ""])


_REPLACED: Final = "\n".join(f"\tk8s.io/{name} => k8s.io/{name} v0{VERSION[1:]}" for name in _STAGED)

KUBERNETES: Final = GoProgram(
    name="Kubernetes",
    version=VERSION,
    package=f"{_COMMANDS}/kube-apiserver",
    beside=[f"{_COMMANDS}/{name}" for name in ("kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")],
    file="kube-apiserver",
    megabytes=8_000,
    linked={f"{_LINKED}.gitVersion": f"v{VERSION}", f"{_LINKED}.gitMajor": "1", f"{_LINKED}.gitMinor": "37"},
    files={"go.mod": _module("kubernetes", f"require k8s.io/kubernetes v{VERSION}", f"replace (\n{_REPLACED}\n)")},
    asked=["--version"],
)

_ETCD: Final = "3.6.7"
ETCD: Final = GoProgram(
    name="etcd",
    version=_ETCD,
    package="go.etcd.io/etcd/server/v3",
    file="etcd",
    megabytes=1_000,
    files={"go.mod": _module("etcd", f"require go.etcd.io/etcd/server/v3 v{_ETCD}")},
    asked=["--version"],
)

_COREDNS: Final = "1.15.0"
_PLUGINS: Final = "\n".join(
    f'\t_ "github.com/coredns/coredns/plugin/{name}"' for name in ("cache", "errors", "kubernetes")
)
COREDNS: Final = GoProgram(
    name="CoreDNS",
    version=_COREDNS,
    package=".",
    file="coredns",
    megabytes=2_000,
    files={
        "go.mod": _module("coredns", f"require github.com/coredns/coredns v{_COREDNS}"),
        "main.go": f"""\
package main

import (
	"github.com/coredns/coredns/coremain"
{_PLUGINS}
)

func main() {{ coremain.Run() }}
""",
    },
    asked=["-version"],
)

PAUSE: Final = GoProgram(
    name="pause",
    version="1",
    package=".",
    file="pause",
    megabytes=200,
    files={
        "go.mod": _module("pause"),
        "main.go": """\
// It holds a pod's namespaces, and reaps what is orphaned in them.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	told := make(chan os.Signal, 64)
	signal.Notify(told, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for told := range told {
		if told != syscall.SIGCHLD {
			return
		}
		for pid := 1; pid > 0; {
			pid, _ = syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		}
	}
}
""",
    },
)


def build_programs(report: Report) -> None:
    """Builds what is missing. Raises SetupFailed."""
    for program in (KUBERNETES, ETCD, COREDNS, PAUSE):
        program.build(report)
