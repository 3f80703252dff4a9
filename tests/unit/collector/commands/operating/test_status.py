import os
import time
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from collector.cli import app
from collector.status.seen import Sample, Seen
from deploy.local.services.process import Process
from deploy.local.stack.data_folder import DataFolder
from deploy.local.stack.members import Member, Role
from deploy.local.stack.state_file import StateFile


def test_what_went_wrong_before_a_process_started_is_not_shown(tmp_path: Path) -> None:
    folder, me = DataFolder(tmp_path), Process.of(os.getpid())
    StateFile(folder.state).add(Member("influxdb", Role.INFLUXDB, 1, me.pid, me.started))
    before, now = (datetime.fromtimestamp(at).astimezone() for at in (me.started_at - 10, time.time()))
    folder.logs.mkdir()
    folder.log("influxdb").write_text(f"{before:%F %T},000 ERROR a it was\n{now:%F %T},999 ERROR a it is\n")

    shown = CliRunner().invoke(app, ["status", "--data", str(tmp_path)]).stdout

    assert "it is" in shown
    assert "it was" not in shown


def test_a_hanging_process_that_is_waited_for_makes_no_number_older(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=1_000.0)
    clock.time = lambda: clock.now
    samples = [
        Sample("collector_aggregator_complete_through_timestamp_seconds", {}, clock.now),
        Sample("collector_worker_lag_seconds", {}, 0.0),
    ]

    def ask(*_: object) -> list[Seen]:
        clock.now += 90
        return [Seen("worker-1", "running", samples=samples)]

    monkeypatch.setattr("collector.commands.operating.status.time", clock)
    monkeypatch.setattr("collector.commands.operating.status.ask", ask)

    ended = CliRunner().invoke(app, ["status", "--target", "http://127.0.0.1:1"])

    assert (ended.exit_code, "0 s ago" in ended.stdout) == (0, True)
