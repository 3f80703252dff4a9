"""The jars of a program: a checked-in list of Maven coordinates with their SHA-256."""

from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from deploy.local.artifacts.cache import need_disk
from deploy.local.artifacts.maven_jars import Jar, fetch_jar, listed_jars
from deploy.local.report import Report

_LISTS = Path(__file__).with_name("jars")
_CONNECTIONS = 6


@dataclass(frozen=True, slots=True)
class JarSet:
    """A program of one version, whose jars need so much disk."""

    program: str
    version: str
    megabytes: int

    @property
    def folder(self) -> str:
        """Its folder in the cache."""
        return f"{self.program.lower()}-{self.version}"

    def jars(self) -> list[Jar]:
        """All that the program needs."""
        return listed_jars((_LISTS / f"{self.folder}.txt").read_text())

    def missing_in(self, folder: Path) -> list[Jar]:
        """Those whose files do not lie there; what the files hold is not looked at."""
        return [jar for jar in self.jars() if not (folder / jar.file).is_file()]

    def fetch(self, folder: Path, report: Report) -> None:
        """Brings every jar that is missing or damaged into `folder`; what an earlier attempt fetched stays."""
        missing = [jar for jar in self.jars() if not jar.is_in(folder)]
        if not missing:
            return
        step = f"{self.program} {self.version}"
        folder.mkdir(parents=True, exist_ok=True)
        need_disk(step, folder, self.megabytes)
        with (
            report.step(f"{step}: fetching its jars", len(missing)) as shown,
            ThreadPoolExecutor(_CONNECTIONS) as pool,
        ):
            futures = {pool.submit(fetch_jar, jar, folder, step): jar for jar in missing}
            try:
                for future in as_completed(futures):
                    future.result()
                    shown.advance(futures[future].file)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


KAFKA = JarSet("Kafka", "4.3.1", 100)
CASSANDRA = JarSet("Cassandra", "5.0.9", 100)
