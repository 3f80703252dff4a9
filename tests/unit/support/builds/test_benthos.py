from pathlib import Path

import pytest

from deploy.local.report import quiet
from support.builds.benthos import benthos, build_benthos, main


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLLECTOR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_built_program_is_not_built_again(cache: Path) -> None:
    benthos().parent.mkdir(parents=True)
    benthos().write_text("built")

    assert build_benthos(quiet()) == benthos()
    assert [entry.name for entry in cache.iterdir()] == [benthos().parent.name]


def test_a_failed_build_leaves_no_program_and_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho the registry is away; exit 3\n")
    go.chmod(0o755)
    monkeypatch.setattr("support.builds.benthos.go_program", lambda _step: str(go))

    assert main() == 1

    assert "the registry is away" in capsys.readouterr().err
    assert not benthos().exists()
