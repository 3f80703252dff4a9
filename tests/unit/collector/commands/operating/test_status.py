import os
import time
from datetime import datetime
from pathlib import Path

from typer.testing import CliRunner

from collector.cli import app
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
