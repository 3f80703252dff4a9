from pathlib import Path

import pytest

from deploy.local.report import quiet
from support.services.toxiproxy_build import build_toxiproxy, main, toxiproxy


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLLECTOR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_built_program_is_not_built_again(cache: Path) -> None:
    toxiproxy().parent.mkdir(parents=True)
    toxiproxy().write_text("built")

    assert build_toxiproxy(quiet()) == toxiproxy()
    assert [entry.name for entry in cache.iterdir()] == [toxiproxy().parent.name]


def test_a_failed_build_leaves_no_program_and_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho the proxy is away; exit 3\n")
    go.chmod(0o755)
    monkeypatch.setattr("support.services.toxiproxy_build.go_program", lambda _step: str(go))

    assert main() == 1

    assert "the proxy is away" in capsys.readouterr().err
    assert not toxiproxy().exists()
