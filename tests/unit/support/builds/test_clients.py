import shutil
from pathlib import Path

import pytest

from deploy.local.report import quiet
from support.builds import clients
from support.builds.clients import get_clients, main, missing, node_packages, python_packages


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLLECTOR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(path: Path, name: str, text: str = "") -> Path:
    file = path / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def test_what_is_there_is_not_fetched_again(cache: Path, path: Path) -> None:
    for name in clients.DEBIAN_PACKAGES:
        program(path, name)
    python_packages().mkdir(parents=True)
    node_packages().mkdir(parents=True)
    assert missing() == []

    get_clients(quiet())

    assert [entry.name for entry in cache.iterdir()] == ["clients"]


def test_without_root_it_is_one_line_that_says_what_to_install(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program(path, "apt-get", "echo it must not be called >&2; exit 3")
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    assert main() == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"Run: sudo apt-get install --yes {' '.join(clients.DEBIAN_PACKAGES.values())}")


def test_as_root_what_is_missing_is_installed_and_a_failure_ends_with_1(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    present, *_ = clients.DEBIAN_PACKAGES
    monkeypatch.setattr(clients, "DEBIAN_PACKAGES", {present: "present", "one": "package-of-one"})
    program(path, present)
    program(path, "apt-get", f'echo "$@" >>{tmp_path}/called; case "$*" in *install*) echo no disk; exit 3;; esac')
    monkeypatch.setattr("os.geteuid", lambda: 0)

    assert main() == 1

    update, install = (tmp_path / "called").read_text().splitlines()
    assert update.endswith(" update")
    assert install.endswith(" install package-of-one")
    assert "no disk" in capsys.readouterr().err


def test_packages_that_could_not_be_fetched_whole_are_not_taken_for_there(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in clients.DEBIAN_PACKAGES:
        program(path, name)
    pip = program(path, "pip", 'echo half >"$1"; echo the index is away; exit 3')
    monkeypatch.setattr("sys.executable", str(pip))

    assert main() == 1

    assert "the index is away" in capsys.readouterr().err
    assert missing() == ["the packages of PyPI", "the packages of npm"]


def test_the_locks_name_no_registry() -> None:
    lists = Path(clients.__file__).parents[2] / "clients"
    assert "://" not in (lists / "requirements.lock").read_text()
    assert '"resolved"' not in (lists / "node/package-lock.json").read_text()


def test_other_locks_are_other_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = python_packages()
    other = tmp_path / "requirements.lock"
    shutil.copy(clients._PYTHON_LOCK, other)  # noqa: SLF001 - the lock that is read
    other.write_text(other.read_text() + "\n# another\n")
    monkeypatch.setattr(clients, "_PYTHON_LOCK", other)
    assert python_packages() != before
