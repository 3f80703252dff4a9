"""Gitleaks looks for secrets in the project, and is built first if need be: `python -m support.builds.gitleaks`.

`.gitleaks.toml` says what it passes over. Exit code 0: none found.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

from support.builds.go_program import GoProgram, build_and_tell

_PROJECT: Final = Path(__file__).parents[3]

GITLEAKS: Final = GoProgram(
    name="Gitleaks",
    version="8.30.1",
    package="github.com/zricethezav/gitleaks/v8",
    file="gitleaks",
    megabytes=1_500,
)


def scan(program: Path, folder: Path) -> int:
    """Looks at all files in the folder, and prints what looks like a secret, without it; 0: nothing does."""
    config = _PROJECT / ".gitleaks.toml"
    command = [program, "dir", "--no-banner", "--log-level=warn", "--redact", "--verbose", f"--config={config}", folder]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(build_and_tell(GITLEAKS) or scan(GITLEAKS.path, _PROJECT))
