"""The examples of docs/producers.md, as a reader copies them."""

import re
from pathlib import Path

GUIDE = Path(__file__).parents[3] / "docs/producers.md"
_SECTION = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def sections() -> dict[str, str]:
    """Each section's text by its heading."""
    _, *parts = _SECTION.split(GUIDE.read_text())
    return dict(zip(parts[::2], parts[1::2], strict=True))


def example(heading: str) -> str:
    """The one fenced block of a section."""
    (block,) = _BLOCK.findall(sections()[heading])
    return str(block)
