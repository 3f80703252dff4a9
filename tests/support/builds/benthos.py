"""Benthos, built by `python -m support.builds.benthos`: one of docs/producers.md's producers.

Of its hundreds of components only those that the page's example names are built in.
"""

import sys
from typing import Final

from support.builds.go_program import GoProgram, build_and_tell

_VERSION: Final = "4.27.0"
_MODULE: Final = "github.com/benthosdev/benthos/v4"
_COMPONENTS: Final = "\n".join(f'\t_ "{_MODULE}/public/components/{name}"' for name in ("io", "kafka", "pure"))

BENTHOS: Final = GoProgram(
    name="Benthos",
    version=_VERSION,
    package=".",
    file="benthos",
    megabytes=1_500,
    linked={f"{_MODULE}/internal/cli.Version": f"v{_VERSION}"},
    files={
        "go.mod": f"module benthos\n\ngo 1.24\n\nrequire {_MODULE} v{_VERSION}\n",
        "main.go": f"""\
package main

import (
	"context"

{_COMPONENTS}
	"{_MODULE}/public/service"
)

func main() {{ service.RunCLI(context.Background()) }}
""",
    },
    asked=["--version"],
)

if __name__ == "__main__":
    sys.exit(build_and_tell(BENTHOS))
