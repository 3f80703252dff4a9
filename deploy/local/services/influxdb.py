"""One InfluxDB 1.8 node on loopback."""

from http import HTTPStatus
from pathlib import Path

from deploy.local.artifacts.installed import Artifacts
from deploy.local.services.process import Command
from deploy.local.services.service import Service, status_of

LOCAL_TOKEN = "collector:collector"  # noqa: S105 # the local server asks for none; clients must send some
LOCAL_ORG = "-"

_CONFIG = """\
reporting-disabled = true
# The port for backups: any free one.
bind-address = "127.0.0.1:0"

[meta]
dir = "{data}/meta"
logging-enabled = false

[data]
dir = "{data}/data"
wal-dir = "{data}/wal"
index-version = "tsi1"
query-log-enabled = false
max-series-per-database = 0
max-values-per-tag = 0

[coordinator]
max-concurrent-queries = 0
max-select-point = 0
max-select-series = 0
max-select-buckets = 0

[monitor]
store-enabled = false

[subscriber]
enabled = false

[continuous_queries]
enabled = false

[http]
bind-address = "127.0.0.1:{port}"
flux-enabled = true
log-enabled = false
max-row-limit = 0
max-connection-limit = 0

[logging]
level = "warn"
suppress-logo = true
"""


class InfluxDB(Service):
    """A server whose data live in `folder`; they survive stop, kill and start."""

    def __init__(self, artifacts: Artifacts, folder: Path, port: int, log: Path | None = None) -> None:
        super().__init__("influxdb", port, log or folder / "influxdb.log")
        self._program = artifacts.influxd
        self._folder = folder

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> Command:
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._folder / "influxdb.conf"
        config.write_text(_CONFIG.format(data=self._folder / "data", port=self.port))
        return Command([str(self._program), "run", "-config", str(config)], self.log)

    def answers(self) -> bool:
        return influxdb_answers(self.port)


def influxdb_answers(port: int) -> bool:
    """Whether InfluxDB answers on that port of loopback."""
    return status_of(port, "/ping") == HTTPStatus.NO_CONTENT
