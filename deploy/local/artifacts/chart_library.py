"""uPlot, which draws the page's charts: a jar of the Maven registry, of which three files go beside the page's own."""

import zipfile
from pathlib import Path
from typing import Final

import aggregator
from deploy.local.artifacts.cache import appears_whole
from deploy.local.artifacts.maven_jars import Jar, fetch_jar
from deploy.local.errors import SetupFailed
from deploy.local.report import Report

PAGE_FOLDER: Final = Path(aggregator.__file__).with_name("page") / "uplot"
"""Part of the aggregator's package: so wheels and images that are built from a tree that is set up hold it."""

_STEP: Final = "uPlot 1.6.30"
_JAR: Final = Jar("org.webjars.npm:uplot:1.6.30", "35b1d5d332ae25876ebd3b96c4a6180f29bec7675ad22dda9d3dc803691d19c9")
_IN_JAR: Final = "META-INF/resources/webjars/uplot/1.6.30/"
_FILES: Final = {
    "uPlot.iife.min.js": "dist/uPlot.iife.min.js",
    "uPlot.min.css": "dist/uPlot.min.css",
    "LICENSE": "LICENSE",
}


def put_chart_library(cache: Path, report: Report, folder: Path = PAGE_FOLDER) -> None:
    """Puts the library's files into `folder`, if some are missing. Raises SetupFailed."""
    if all((folder / name).is_file() for name in _FILES):
        return
    with report.step(f"{_STEP}: fetching it"):
        if not _JAR.is_in(cache):
            fetch_jar(_JAR, cache, _STEP)
        try:
            _unpack(cache / _JAR.file, folder)
        except OSError as error:
            raise SetupFailed(_STEP, f"cannot write to {folder}: {error}", "Run `make setup` as its owner.") from error


def _unpack(jar: Path, folder: Path) -> None:
    with zipfile.ZipFile(jar) as archive:
        for name, member in _FILES.items():
            with appears_whole(folder / name) as partial:
                partial.write_bytes(archive.read(_IN_JAR + member))
