"""Toxiproxy, built by `python -m support.builds.toxiproxy`: it breaks connections as told.

Only the tests of faults need it.
"""

import sys
from typing import Final

from support.builds.go_program import GoProgram, build_and_tell

_MODULE: Final = "github.com/Shopify/toxiproxy/v2"

TOXIPROXY: Final = GoProgram(
    name="Toxiproxy",
    version="2.12.0",
    package=f"{_MODULE}/cmd/server",
    file="toxiproxy-server",
    megabytes=500,
    linked={f"{_MODULE}.Version": "2.12.0"},
    asked=["-version"],
)

if __name__ == "__main__":
    sys.exit(build_and_tell(TOXIPROXY))
