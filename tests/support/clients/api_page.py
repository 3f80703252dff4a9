"""The examples of docs/api.md, as a reader copies them."""

import re
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parents[3] / "docs/api.md"
_SECTION = re.compile(r"^### ([^\n]+)\n\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    """A fenced block under a heading of its own."""

    heading: str
    language: str
    text: str


def examples() -> list[Example]:
    """All that are to be run."""
    return [Example(*found) for found in _SECTION.findall(PAGE.read_text())]
