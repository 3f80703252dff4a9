"""The folder of a broker."""

import stat
from pathlib import Path

from deploy.local.artifacts.installed import Artifacts
from deploy.local.services.kafka import Kafka


def test_the_log_of_users_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "kafka"
    # Data from before are not formatted again.
    (folder / "data").mkdir(parents=True)
    folder.chmod(0o755)
    nothing = Path("/nowhere")

    Kafka(Artifacts(nothing, nothing, nothing), folder, 1, 2).prepare()

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
