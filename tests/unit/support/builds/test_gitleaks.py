import secrets
import string
from pathlib import Path

import pytest

from support.builds.gitleaks import GITLEAKS, scan


def test_a_secret_is_found_and_not_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    if not GITLEAKS.path.is_file():
        pytest.skip("no Gitleaks: `make lint` builds it")
    secret = "ghp_" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(36))
    (tmp_path / "settings.env").write_text(f"GITHUB_TOKEN={secret}\n")

    assert scan(GITLEAKS.path, tmp_path) == 1

    told = capfd.readouterr()
    assert "settings.env" in told.out
    assert secret not in told.out + told.err


def test_an_example_that_reads_a_key_from_its_file_is_none(tmp_path: Path) -> None:
    if not GITLEAKS.path.is_file():
        pytest.skip("no Gitleaks: `make lint` builds it")
    (tmp_path / "keys.md").write_text('curl -sS -u "$(cat shop.key):" http://127.0.0.1:8080/v1/hours\n')

    assert scan(GITLEAKS.path, tmp_path) == 0
