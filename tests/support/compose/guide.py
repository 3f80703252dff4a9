"""The commands that deploy/README.md gives to who starts the stack with Docker."""

import re
from pathlib import Path
from typing import Final

DEPLOY: Final = Path(__file__).parents[3] / "deploy"


def commands() -> list[str]:
    """Line by line, but that the image is built already; each may use variables that those before it set."""
    text = (DEPLOY / "README.md").read_text()
    block = re.search(r"^## With Docker\n\n```\ncd deploy\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert block is not None
    lines = block[1].splitlines()
    lines.remove("docker compose build")
    return lines
