import secrets
import string
from pathlib import Path

import pytest

from deploy.local.report import quiet
from support.builds.gitleaks import build_gitleaks, gitleaks, main, scan


def test_a_built_program_is_not_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTOR_CACHE", str(tmp_path / "cache"))
    gitleaks().parent.mkdir(parents=True)
    gitleaks().write_text("built")

    assert build_gitleaks(quiet()) == gitleaks()


def test_a_failed_build_leaves_no_program_and_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLLECTOR_CACHE", str(tmp_path / "cache"))
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho the proxy is away; exit 3\n")
    go.chmod(0o755)
    monkeypatch.setattr("support.builds.gitleaks.go_program", lambda _step: str(go))

    assert main() == 1

    assert "the proxy is away" in capsys.readouterr().err
    assert not gitleaks().exists()


def test_a_secret_is_found_and_not_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    if not gitleaks().is_file():
        pytest.skip("no Gitleaks: `make lint` builds it")
    secret = "ghp_" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(36))
    (tmp_path / "settings.env").write_text(f"GITHUB_TOKEN={secret}\n")

    assert scan(gitleaks(), tmp_path) == 1

    told = capfd.readouterr()
    assert "settings.env" in told.out
    assert secret not in told.out + told.err


def test_an_example_that_reads_a_key_from_its_file_is_none(tmp_path: Path) -> None:
    if not gitleaks().is_file():
        pytest.skip("no Gitleaks: `make lint` builds it")
    (tmp_path / "keys.md").write_text('curl -sS -u "$(cat shop.key):" http://127.0.0.1:8080/v1/hours\n')

    assert scan(gitleaks(), tmp_path) == 0
