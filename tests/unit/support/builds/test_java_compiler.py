import hashlib
from pathlib import Path

import pytest

from deploy.local.artifacts import maven_jars
from deploy.local.artifacts.maven_jars import Jar
from deploy.local.errors import SetupFailed
from support.builds import java_compiler as java_compiler_module
from support.builds.java_compiler import compile_java, main

JAR = Jar("org.example:compiler:1.0", hashlib.sha256(b"a compiler").hexdigest())
JAVA = """\
#!/bin/sh
# The words of a compilation: ... -d CLASSES SOURCE
for word; do folder=$before; before=$word; done
mkdir -p "$folder" && echo "$@" > "$folder/arguments"
grep -q broken "$word" && echo "1. ERROR in $word" && exit 1
exit 0
"""


class Registry:
    """Stands in for the network."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.content = b"a compiler"

    def download(self, jar: Jar) -> list[bytes]:
        self.asked.append(jar.coordinate)
        return [self.content]


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The cache is empty, and Java is a program that notes what it was called with."""
    registry = Registry()
    java = tmp_path / "java"
    java.write_text(JAVA)
    java.chmod(0o755)
    monkeypatch.setenv("COLLECTOR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(maven_jars, "_download", registry.download)
    monkeypatch.setattr(java_compiler_module, "_COMPILER", JAR)
    monkeypatch.setattr(java_compiler_module, "JAVA", java)
    return registry


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "Program.java"
    path.write_text("class Program {}")
    return path


def test_what_was_compiled_is_not_compiled_nor_is_the_compiler_fetched_again(registry: Registry, source: Path) -> None:
    classes = compile_java(source)
    (classes / "mark").touch()

    assert compile_java(source) == classes
    assert (classes / "mark").exists()
    assert registry.asked == [JAR.coordinate]


def test_another_text_and_another_class_path_are_compiled_apart(registry: Registry, source: Path) -> None:
    del registry
    first, second = compile_java(source), compile_java(source, [Path("lib/kafka-1.jar"), Path("lib/log-2.jar")])
    source.write_text("class Program { int number; }")
    third = compile_java(source)

    assert len({first, second, third}) == 3
    assert "-classpath lib/kafka-1.jar:lib/log-2.jar" in (second / "arguments").read_text()


def test_what_does_not_compile_is_told_and_leaves_no_classes(registry: Registry, source: Path) -> None:
    del registry
    source.write_text("broken")

    for _ in range(2):
        with pytest.raises(SetupFailed, match=r"1\. ERROR in .*Program\.java"):
            compile_java(source)


def test_a_compiler_with_another_hash_is_refused(registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    registry.content = b"another"

    assert main() == 1
    assert f"{JAR.coordinate} has SHA-256" in capsys.readouterr().err
