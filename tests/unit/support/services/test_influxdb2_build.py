from pathlib import Path

import pytest

from deploy.local.errors import SetupFailed
from deploy.local.report import quiet
from support.services import influxdb2_build
from support.services.influxdb2_build import build_influxd2, influxd2, main


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder with programs, and an empty cache."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("COLLECTOR_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("RUSTUP_TOOLCHAIN", raising=False)
    return programs


def program(folder: Path, name: str, text: str = "exit 1") -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_without_rust_it_is_said_what_to_install(path: Path) -> None:
    program(path, "cc")
    with pytest.raises(SetupFailed, match=r"Rust.*no `cargo` in PATH\. Install Rust"):
        build_influxd2(quiet())


def test_without_a_c_compiler_it_is_said_what_to_install(path: Path) -> None:
    program(path, "cargo")
    with pytest.raises(SetupFailed, match=r"C compiler.*no `cc` in PATH\. Install one"):
        build_influxd2(quiet())


def test_a_rustup_without_a_compiler_is_told(path: Path) -> None:
    for name in ("cargo", "cc"):
        program(path, name)
    program(path, "rustup", "echo no default is configured >&2; exit 1")
    with pytest.raises(SetupFailed, match="rustup has no default toolchain: no default is configured"):
        build_influxd2(quiet())


def test_a_built_program_is_not_built_again(path: Path) -> None:
    influxd2().parent.mkdir(parents=True)
    influxd2().write_text("built")
    assert build_influxd2(quiet()) == influxd2()
    assert list(path.iterdir()) == []


def test_a_failed_build_leaves_no_program_and_ends_with_1(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("cargo", "cc"):
        program(path, name)
    program(path, "go", "echo the proxy is away; exit 3")
    monkeypatch.setattr(influxdb2_build, "go_program", lambda _step: str(path / "go"))
    assert main() == 1
    told = capsys.readouterr().err
    assert "the proxy is away" in told
    assert "run it again" in told
    assert not influxd2().exists()
