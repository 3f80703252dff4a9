"""The project's own image, as deploy/Dockerfile makes it."""

import subprocess
from pathlib import Path
from typing import Final

from deploy.local.errors import SetupFailed
from deploy.local.report import Report
from support.engine.programs import STEP

PRODUCT: Final = "user-actions-collector"

_PROJECT: Final = Path(__file__).parents[3]


def build_product(environment: dict[str, str], report: Report, *options: str) -> None:
    """Builds it anew; what did not change comes from the engine's cache. Raises SetupFailed."""
    command = ["docker", "build", *options, f"--tag={PRODUCT}", "--file=deploy/Dockerfile", "."]
    with report.step(f"{STEP}: the project's image"):
        ended = subprocess.run(
            command,
            cwd=_PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if ended.returncode:
            said = (ended.stdout + ended.stderr)[-2_000:]
            raise SetupFailed(STEP, f"deploy/Dockerfile cannot be built: {said}", "Run it again.")
