"""Programs that tests use, built from their Go source into the cache folder."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from deploy.local.artifacts.cache import appears_whole, cache_folder, need_disk, only_set_up
from deploy.local.artifacts.go_toolchain import Builder, go_environment, go_program
from deploy.local.errors import LocalError, SetupFailed
from deploy.local.report import Report


@dataclass(frozen=True)
class GoProgram:
    """One program at one version."""

    name: str
    """As people call it."""
    version: str
    package: str
    """What is built: its import path; "." is what `files` hold."""
    file: str
    """The built program's name."""
    megabytes: int
    """Of disk, while it is built."""
    linked: Mapping[str, str] = field(default_factory=dict)
    """Variables of the program that the linker sets, such as its version."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Of the module that it is built in, by name, where it cannot be installed by its import path alone."""
    asked: Sequence[str] = ()
    """Arguments to which the built program answers with its version; none: it is not asked."""
    beside: Sequence[str] = ()
    """Further packages of the same module; the program of each lies beside this one, under Go's name for it."""

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"

    @property
    def path(self) -> Path:
        """Where the built program lies, or would."""
        return cache_folder() / f"{self.name.lower().replace(' ', '-')}-{self.version}" / self.file

    def build(self, report: Report) -> Path:
        """Builds it if it is not there. Raises SetupFailed."""
        if not self.path.is_file():
            with only_set_up(cache_folder(), report) as lock:
                if not self.path.is_file():
                    self._build(lock, report)
        return self.path

    def _build(self, lock: int, report: Report) -> None:
        workshop = self.path.parent / "build"
        module = workshop / "module"
        module.mkdir(parents=True, exist_ok=True)
        need_disk(self.title, workshop, self.megabytes)
        for name, text in self.files.items():
            (module / name).write_text(text)
        with report.step(f"{self.title}: building it from source (some minutes)") as step:
            Builder(self.title, go_environment(workshop), lock, step).run(self._command(workshop), module)
        built = workshop / "bin"
        for package in self.beside:
            with appears_whole(self.path.with_name(Path(package).name)) as partial:
                (built / Path(package).name).rename(partial)
        with appears_whole(self.path) as partial:
            shutil.copy2(next(built.iterdir()), partial)
            self._check(partial)
        shutil.rmtree(workshop)

    def _command(self, workshop: Path) -> list[str]:
        flags = " ".join(["-ldflags=-s -w", *(f"-X {name}={value}" for name, value in self.linked.items())])
        if self.files:
            return [go_program(self.title), "build", "-v", flags, "-o", f"{workshop}/bin/", self.package, *self.beside]
        return [go_program(self.title), "install", "-v", flags, f"{self.package}@v{self.version}"]

    def _check(self, program: Path) -> None:
        if not self.asked:
            return
        answer = subprocess.run([program, *self.asked], capture_output=True, text=True, timeout=60, check=False)
        if self.version not in answer.stdout:
            said = f"the built program does not run: {answer.stdout}{answer.stderr}"
            raise SetupFailed(self.title, said, f"Remove {program.parent}.")


def build_and_tell(program: GoProgram) -> int:
    """Builds it and says where it is; an exit code."""
    console = Console(stderr=True)
    try:
        path = program.build(Report(console))
    except LocalError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        return 1
    console.print(f"{program.title} is in {path}", markup=False, highlight=False)
    return 0
