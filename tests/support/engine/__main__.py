"""`python -m support.engine COMMAND...` runs a command that needs a Docker engine.

Where one answers, it is used as it is. Elsewhere root on Debian gets one for as long as the command runs, in a network
namespace of its own: published ports are on the loopback that the command sees, and nothing leaves it.

With `--with-product` before the command, the project's own image is built first, and there is `docker compose`.
"""

import os
import subprocess
import sys

from rich.console import Console

from deploy.local.artifacts.cache import cache_folder, only_set_up
from deploy.local.errors import LocalError
from deploy.local.report import Report
from support.engine.compose import get_compose
from support.engine.daemon import FOR_BUILDS, FOR_CONTAINERS, daemon, environment
from support.engine.product_image import build_product
from support.engine.programs import get_programs
from support.engine.stand_ins import gather_more_parts, gather_parts, make_images
from support.services.containers import docker_answers

_INSIDE = "--inside-namespace"
_WITH_PRODUCT = "--with-product"


def main(arguments: list[str]) -> int:
    """Returns the command's exit status."""
    if arguments[0] == _INSIDE:
        return _run_inside(arguments[1:])
    report = Report(Console(stderr=True))
    with_product = arguments[0] == _WITH_PRODUCT
    command = arguments[1:] if with_product else arguments
    if docker_answers():
        if with_product:
            build_product(dict(os.environ), report)
        return subprocess.run(command, check=False).returncode
    stand_ins = gather_parts(report) + (gather_more_parts(report) if with_product else [])
    with only_set_up(cache_folder(), report) as lock:
        get_programs(lock, report)
        if with_product:
            get_compose(lock, report)
        with daemon(FOR_BUILDS):
            make_images(stand_ins, lock, report)
            if with_product:
                build_product(environment(), report, "--network=host")
    again = [sys.executable, "-m", "support.engine", _INSIDE, *command]
    return subprocess.run(["unshare", "--net", *again], check=False).returncode


def _run_inside(command: list[str]) -> int:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with daemon(FOR_CONTAINERS):
        return subprocess.run(command, env=environment() | _TESTCONTAINERS, check=False).returncode


_TESTCONTAINERS = {"TESTCONTAINERS_RYUK_DISABLED": "true", "TESTCONTAINERS_CONNECTION_MODE": "docker_host"}
"""Its helper container is in a registry only; published ports are on loopback."""


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LocalError as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(os.EX_UNAVAILABLE)
