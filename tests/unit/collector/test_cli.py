import json
import os
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from collector import cli
from deploy.local.services.process import Process
from deploy.local.stack.members import Member, Role
from deploy.local.stack.state_file import StateFile


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> "Run":
    return Run(capsys, monkeypatch)


class Run:
    """The program as the shell starts it."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str) -> tuple[object, str, str]:
        self._monkeypatch.setattr("sys.argv", ["collector", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return (ended.value.code, *self._capsys.readouterr())


def test_ps_where_nothing_runs_is_an_empty_list(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("ps", "--json", "--data", str(tmp_path))

    assert (code, json.loads(out)) == (0, [])


def test_ps_tells_a_process_that_is_gone(run: Run, tmp_path: Path) -> None:
    StateFile(tmp_path / "stack.json").add(Member("worker-1", Role.WORKER, 8381, 1, 0.0))

    _, as_json, _ = run("ps", "--json", "--data", str(tmp_path))
    _, as_text, _ = run("ps", "--data", str(tmp_path))

    assert json.loads(as_json) == [{"name": "worker-1", "pid": 1, "port": 8381, "state": "dead"}]
    assert as_text.splitlines()[1].split() == ["worker-1", "1", "8381", "dead"]


@pytest.mark.parametrize("command", [["down"], ["scale", "workers", "2"]])
def test_a_command_for_a_stack_that_is_not_there_says_so_in_one_line(
    run: Run, tmp_path: Path, command: list[str]
) -> None:
    code, _, err = run(*command, "--data", str(tmp_path / "none"))

    assert (code, err) == (1, f"collector: no stack in {tmp_path / 'none'}\n")


def test_a_log_that_is_not_there_is_told_with_those_that_are(run: Run, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "kafka.log").write_text("hello")

    code, _, err = run("logs", "kafak", "--data", str(tmp_path))

    assert code == 1
    assert "there are logs of: kafka" in err


def test_a_log_can_be_read_when_its_process_is_gone(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "kafka.log").write_text("hello")

    result = CliRunner().invoke(cli.app, ["logs", "kafka", "--data", str(tmp_path)])

    assert result.stdout == "hello"


def test_without_a_set_up_nothing_starts_and_the_remedy_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLECTOR_CACHE", str(tmp_path / "empty"))

    code, out, err = run("up", "--data", str(tmp_path / "data"))

    assert (code, out) == (1, "")
    assert "run `collector setup`" in err
    assert not (tmp_path / "data").exists()


@pytest.fixture
def _set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.local.stack.starting.installed", lambda: None)


@pytest.mark.usefixtures("_set_up")
def test_a_port_in_use_is_told_before_anything_starts(run: Run, tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]

        code, out, err = run("up", "--data", str(tmp_path), "--port", str(port))

    assert (code, out) == (1, "")
    assert err == f"collector: port {port} is in use: choose another by --port, or stop who listens there\n"


@pytest.mark.usefixtures("_set_up")
def test_too_little_disk_is_told_before_anything_starts(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.local.stack.starting._MEGABYTES", 999_999_999_999)

    code, out, err = run("up", "--data", str(tmp_path))

    assert (code, out) == (1, "")
    assert "999999999999 MB are needed" in err


@pytest.mark.usefixtures("_set_up")
def test_a_stack_that_runs_in_the_folder_is_told_before_anything_starts(run: Run, tmp_path: Path) -> None:
    me = Process.of(os.getpid())
    StateFile(tmp_path / "stack.json").add(Member("kafka", Role.KAFKA, 9092, me.pid, me.started))

    code, _, err = run("up", "--data", str(tmp_path))

    assert code == 1
    assert "runs in" in err
    assert f"kafka (pid {me.pid})" in err
