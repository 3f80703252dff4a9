"""Scripts that run under Node with the packages of tests/clients/node."""

import asyncio
import subprocess
from pathlib import Path

from support.builds.clients import node_packages, node_program


async def run_node(script: Path, *arguments: str) -> str:
    """What an ES module writes to its standard output; `import` finds the packages, wherever the script lies.

    Raises AssertionError with what it wrote to its standard error unless it exits with 0.
    """
    return await asyncio.to_thread(_run, script, arguments)


def _run(script: Path, arguments: tuple[str, ...]) -> str:
    # A script read from standard input looks for packages where it was started.
    command = [node_program(), "--input-type=module", "-", *arguments]
    with script.open() as text:
        done = subprocess.run(command, stdin=text, cwd=node_packages(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
