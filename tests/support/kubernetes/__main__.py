"""`python -m support.kubernetes COMMAND...` runs a command that starts a Kubernetes: as root, on Linux.

What it needs is built first, once. The command finds namespaces of its own: nothing of the machine's is changed.
"""

import os
import signal
import sys
from typing import Final

from rich.console import Console

from deploy.local.errors import LocalError
from deploy.local.report import Report
from support.kubernetes.definitions import GATEWAY_API, KEDA
from support.kubernetes.images import make_archives
from support.kubernetes.isolation import inside, run_inside, run_isolated
from support.kubernetes.node_packages import get_node_packages
from support.kubernetes.programs import build_programs

_TERMINATED: Final = 128 + signal.SIGTERM


def main(arguments: list[str]) -> int:
    """Returns the command's exit status."""
    if command := inside(arguments):
        return run_inside(command)
    # Told to stop, it leaves nothing behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    report = Report(Console(stderr=True))
    build_programs(report)
    get_node_packages(report)
    make_archives(report)
    for definitions in (GATEWAY_API, KEDA):
        definitions.fetch(report)
    return run_isolated(arguments)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LocalError as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(os.EX_UNAVAILABLE)
