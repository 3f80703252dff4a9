import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deploy.local.artifacts import chart_library
from deploy.local.artifacts.chart_library import PAGE_FOLDER, put_chart_library
from deploy.local.artifacts.maven_jars import Jar
from deploy.local.errors import SetupFailed
from deploy.local.report import quiet

ROOT = Path(__file__).parents[5]
FOLDER = "META-INF/resources/webjars/uplot/1.6.30/"
MEMBERS = {"LICENSE": "LICENSE", "uPlot.iife.min.js": "dist/uPlot.iife.min.js", "uPlot.min.css": "dist/uPlot.min.css"}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """It holds the jar, whose hash is the listed one."""
    cache = tmp_path / "cache"
    cache.mkdir()
    with zipfile.ZipFile(cache / "uplot-1.6.30.jar", "w") as jar:
        for name in MEMBERS.values():
            jar.writestr(FOLDER + name, name)
        jar.writestr("../outside", "")
    digest = hashlib.sha256((cache / "uplot-1.6.30.jar").read_bytes()).hexdigest()
    monkeypatch.setattr(chart_library, "_JAR", Jar("org.webjars.npm:uplot:1.6.30", digest))
    return cache


def test_the_page_gets_the_library_its_style_and_its_licence_and_nothing_else(cache: Path, tmp_path: Path) -> None:
    put_chart_library(cache, quiet(), tmp_path / "page")

    assert {path.name: path.read_text() for path in (tmp_path / "page").iterdir()} == MEMBERS


def test_what_is_there_is_not_fetched_again(cache: Path, tmp_path: Path) -> None:
    put_chart_library(cache, quiet(), tmp_path / "page")
    (cache / "uplot-1.6.30.jar").unlink()

    put_chart_library(cache, quiet(), tmp_path / "page")


def test_a_folder_that_cannot_be_written_is_an_error_that_names_it(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SetupFailed, match="file/page"):
        put_chart_library(cache, quiet(), tmp_path / "file" / "page")


def test_a_wheel_holds_the_page_with_what_the_set_up_put_there(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    page = PAGE_FOLDER.parent
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("aggregator/page/")}

    assert held == {f"aggregator/page/{path.relative_to(page)}" for path in page.rglob("*") if path.is_file()}
    assert "aggregator/page/modules/main.js" in held
