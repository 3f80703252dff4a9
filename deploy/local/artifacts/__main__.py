"""`python -m deploy.local.artifacts`: puts the page's chart library beside the page, for a wheel or an image."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from deploy.local.artifacts.chart_library import put_chart_library
from deploy.local.errors import LocalError
from deploy.local.report import Report


def main() -> int:
    """Exit code 0, or 1 with what failed."""
    console = Console(stderr=True)
    try:
        with TemporaryDirectory() as folder:
            put_chart_library(Path(folder), Report(console))
    except LocalError as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
