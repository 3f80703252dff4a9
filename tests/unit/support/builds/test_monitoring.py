from collections.abc import Callable
from pathlib import Path

import pytest

from support.builds import monitoring

Fake = Callable[[str, str], None]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Puts a script in a program's place; the cache is empty."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("COLLECTOR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.delenv("CI", raising=False)

    def put(name: str, script: str) -> None:
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)

    return put


def test_what_packages_hold_appears_in_the_cache_and_is_got_once(fake: Fake, tmp_path: Path) -> None:
    fake("apt-get", f'echo "$@" >> {tmp_path}/asked; case "$*" in *download*) touch prometheus.deb ;; esac')
    fake("dpkg-deb", 'mkdir -p "$3/usr/bin" && touch "$3/usr/bin/promtool"')

    assert monitoring.main() == monitoring.main() == 0

    assert monitoring.program("promtool").is_file()
    asked = (tmp_path / "asked").read_text().splitlines()
    assert [line for line in asked if "download" in line] == ["--quiet download " + " ".join(monitoring.PACKAGES)]


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)], ids=["laptop", "ci"])
def test_what_cannot_be_got_is_no_failure_but_in_ci_and_nothing_half_appears(
    ci: str, code: int, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake("apt-get", "echo no network >&2; exit 100")
    monkeypatch.setenv("CI", ci)

    assert monitoring.main() == code

    assert not monitoring.program("promtool").exists()
