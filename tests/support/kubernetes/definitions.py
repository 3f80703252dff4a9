"""Definitions of resources that a cluster does not know by itself, from the modules of the projects that own them."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.artifacts.cache import cache_folder, only_set_up
from deploy.local.artifacts.go_toolchain import go_environment, go_program
from deploy.local.errors import SetupFailed
from deploy.local.report import Report


@dataclass(frozen=True, slots=True)
class Definitions:
    """Those of one project, at one version."""

    name: str
    module: str
    version: str
    folder: str
    """Within the module."""
    wanted: str
    """Pattern of the files that are kept."""

    @property
    def path(self) -> Path:
        """The folder where they lie, or would."""
        return cache_folder() / f"{self.name}-definitions-{self.version}"

    def fetch(self, report: Report) -> Path:
        """Gets them if they are not there. Raises SetupFailed."""
        if not self.path.is_dir():
            with only_set_up(cache_folder(), report):
                self._fetch(report)
        return self.path

    def _fetch(self, report: Report) -> None:
        title = f"{self.name}'s definitions {self.version}"
        partial = self.path.with_name(self.path.name + ".partial")
        workshop = partial / "build"
        shutil.rmtree(partial, ignore_errors=True)
        workshop.mkdir(parents=True)
        with report.step(title):
            answer = subprocess.run(
                [go_program(title), "mod", "download", "-json", f"{self.module}@v{self.version}"],
                cwd=workshop,
                env=go_environment(workshop),
                capture_output=True,
                text=True,
                check=False,
            )
            if answer.returncode:
                raise SetupFailed(title, answer.stdout + answer.stderr, "Run it again.")
            for file in (Path(json.loads(answer.stdout)["Dir"]) / self.folder).glob(self.wanted):
                shutil.copy(file, partial)
        shutil.rmtree(workshop)
        partial.rename(self.path)


KEDA: Final = Definitions(
    "keda", "github.com/kedacore/keda/v2", "2.21.0", "config/crd/bases", "keda.sh_scaledobjects.yaml"
)
GATEWAY_API: Final = Definitions(
    "gateway-api", "sigs.k8s.io/gateway-api", "1.6.3", "config/crd/standard", "*_httproutes.yaml"
)
