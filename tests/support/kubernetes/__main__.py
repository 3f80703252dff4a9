"""`python -m support.kubernetes COMMAND...` runs a command that starts a Kubernetes: as root, on Linux.

What it needs is built first, once. The command finds namespaces of its own: nothing of the machine's is changed.
"""

import os
import sys

from rich.console import Console

from deploy.local.errors import LocalError
from deploy.local.report import Report
from support.kubernetes.definitions import GATEWAY_API, KEDA
from support.kubernetes.isolation import inside, run_inside, run_isolated
from support.kubernetes.programs import build_control_plane


def main(arguments: list[str]) -> int:
    """Returns the command's exit status."""
    if command := inside(arguments):
        return run_inside(command)
    report = Report(Console(stderr=True))
    build_control_plane(report)
    for definitions in (GATEWAY_API, KEDA):
        definitions.fetch(report)
    return run_isolated(arguments)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LocalError as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(os.EX_UNAVAILABLE)
