import os

import pytest

from support.builds.monitoring import program


@pytest.fixture(scope="session")
def promtool() -> str:
    """The program. Where it is missing, tests are skipped on a laptop and fail in CI."""
    path = program("promtool")
    if not path.is_file():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "no promtool: python -m support.builds.monitoring gets it"
        )
    return str(path)
