"""Running an example: actions on its standard input, the topic in its environment."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SECONDS = 120
"""The limit in case of failure."""


def run(command: Sequence[str | Path], made: Sequence[Mapping[str, Any]], environment: Mapping[str, str]) -> None:
    """Hands it the actions, one a line, and waits for its end; it must succeed."""
    # Text beyond ASCII as itself and escaped: a producer must know a user by either.
    lines = [json.dumps(action, ensure_ascii=number % 2 == 0) for number, action in enumerate(made)]
    ended = subprocess.run(
        command,
        input="".join(f"{line}\n" for line in lines).encode(),
        env={**os.environ, **environment},
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout.decode() + ended.stderr.decode()
