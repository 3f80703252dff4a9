"""The commands that deploy/README.md gives to who starts the stack with Docker."""

import re
from pathlib import Path
from typing import Final

DEPLOY: Final = Path(__file__).parents[3] / "deploy"


def commands() -> list[str]:
    """Line by line, but that the image is built already; each may use variables that those before it set."""
    lines = _block(r"^## With Docker\n\n```\ncd deploy\n(.*?)^```$")
    lines.remove("docker compose build")
    return lines


def monitoring_commands() -> list[str]:
    """What is needed before the profile `monitoring` can be started."""
    return _block(r"^With `COMPOSE_PROFILES=influx,monitoring`.*?\n```\n(.*?)^```$")


def _block(pattern: str) -> list[str]:
    found = re.search(pattern, (DEPLOY / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1].splitlines()
