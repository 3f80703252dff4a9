"""The program `collector`, as the shell starts it."""

import json
import os
import subprocess
import sys
from typing import Any

COLLECTOR = [sys.executable, "-c", "from collector.cli import main; main()"]


def collector(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Its output and exit code."""
    return subprocess.run(
        [*COLLECTOR, *arguments], env=os.environ | environment, capture_output=True, text=True, check=False
    )


class Auditor:
    """`collector audit`."""

    def __init__(self, environment: dict[str, str], url: str) -> None:
        self._environment = environment
        self._url = url

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return collector(self._environment, "audit", "--url", self._url, *arguments)

    def __call__(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        ended = self.run("--json", *arguments)
        assert ended.stdout, ended.stderr
        return ended.returncode, json.loads(ended.stdout)
