"""What is built for those who install it."""

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from aggregator.http.page import PAGE

PROJECT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files, where pip would put them."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=PROJECT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    ZipFile(wheel).extractall(folder / "site-packages")
    return folder / "site-packages"


def test_an_aggregator_that_was_installed_serves_the_page_with_all_that_was_set_up(installed: Path) -> None:
    where = [sys.executable, "-P", "-c", "from aggregator.http.page import PAGE; print(PAGE)"]
    environment = os.environ | {"PYTHONPATH": str(installed)}

    served = Path(subprocess.run(where, env=environment, check=True, capture_output=True, text=True).stdout.strip())

    assert served.is_relative_to(installed)
    assert files(served) == files(PAGE)


def files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
