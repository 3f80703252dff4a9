from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local.errors import SetupFailed
from deploy.local.report import quiet
from support.builds.go_program import GoProgram, build_and_tell

TOOL = GoProgram(
    name="Some Tool", version="1.2.3", package="example.org/tool/v1", file="tool", megabytes=1, asked=["--version"]
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLLECTOR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def go(script: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Go that does what the script says; $GOBIN is where it puts programs."""
    program = folder / "go"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr("support.builds.go_program.go_program", lambda _step: str(program))


def test_a_built_program_is_not_built_again(cache: Path) -> None:
    TOOL.path.parent.mkdir(parents=True)
    TOOL.path.write_text("built")

    assert TOOL.build(quiet()) == cache / "some-tool-1.2.3" / "tool"
    assert [entry.name for entry in cache.iterdir()] == ["some-tool-1.2.3"]


def test_a_build_leaves_the_program_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = 'mkdir -p "$GOBIN"; printf "#!/bin/sh\\necho $4" > "$GOBIN/v1"; chmod +x "$GOBIN/v1"'
    go(script, tmp_path, monkeypatch)

    assert TOOL.build(quiet()).read_text().endswith("echo example.org/tool/v1@v1.2.3")
    assert [entry.name for entry in TOOL.path.parent.iterdir()] == ["tool"]


def test_a_program_of_files_is_built_where_they_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = 'mkdir -p "$5"; echo "#!/bin/sh\necho 1.2.3 $(cat main.go)" > "$5/module"; chmod +x "$5/module"'
    go(script, tmp_path, monkeypatch)

    built = replace(TOOL, package=".", files={"main.go": "the source"}).build(quiet())

    assert "the source" in built.read_text()


def test_a_program_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go('mkdir -p "$GOBIN"; printf "#!/bin/sh\\necho 9.9" > "$GOBIN/v1"; chmod +x "$GOBIN/v1"', tmp_path, monkeypatch)

    with pytest.raises(SetupFailed, match=r"does not run: 9\.9"):
        TOOL.build(quiet())

    assert not TOOL.path.exists()


def test_a_failed_build_leaves_no_program_and_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    go("echo the proxy is away; exit 3", tmp_path, monkeypatch)

    assert build_and_tell(TOOL) == 1

    assert "the proxy is away" in capsys.readouterr().err
    assert not TOOL.path.exists()
