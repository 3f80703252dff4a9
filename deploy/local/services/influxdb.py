"""One InfluxDB 1.8 node on loopback."""

import secrets
import sys
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx

from deploy.local.artifacts.installed import Artifacts
from deploy.local.errors import ServiceFailed
from deploy.local.services.process import Command
from deploy.local.services.service import Service, status_of
from stores.influx.access.token_file import token_in, write_token

LOCAL_TOKEN = "collector:collector"  # noqa: S105 # for a server that asks for none; clients must send some
LOCAL_ORG = "-"

_ADMIN: Final = "admin"
_SECONDS: Final = 30.0
_BACKUPS: Final = "127.255.255.255" if sys.platform == "linux" else "127.0.0.1"
"""Where the port for backups listens, which asks for no token and cannot be switched off.

That is loopback's broadcast address: Linux lets a server listen there, and nobody connect.
"""

_CONFIG = """\
reporting-disabled = true
# The port for backups: any free one.
bind-address = "{backups}:0"

[meta]
dir = "{data}/meta"
logging-enabled = false

[data]
dir = "{data}/data"
wal-dir = "{data}/wal"
index-version = "tsi1"
query-log-enabled = false
# 25 MB unless told otherwise: with 3 MB/s of packed runs, compactions took a fifth of a core for two minutes.
cache-snapshot-memory-size = "128m"
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
auth-enabled = {auth}
pprof-enabled = false
max-row-limit = 0
max-connection-limit = 0

[logging]
level = "warn"
suppress-logo = true
"""


class InfluxDB(Service):
    """A server whose data live in `folder`; they survive stop, kill and start."""

    def __init__(
        self,
        artifacts: Artifacts,
        folder: Path,
        port: int,
        log: Path | None = None,
        admin_token: Path | None = None,
    ) -> None:
        """With `admin_token` it asks everybody for a token, and the administrator's, made at the first start, is there.

        Data from before that are kept.
        """
        super().__init__("influxdb", port, log or folder / "influxdb.log")
        self._program = artifacts.influxd
        self._folder = folder
        self._admin_token = admin_token

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> Command:
        self._folder.mkdir(parents=True, exist_ok=True)
        # It holds users and what they did.
        self._folder.chmod(0o700)
        config = self._folder / "influxdb.conf"
        auth = "false" if self._admin_token is None else "true"
        config.write_text(_CONFIG.format(data=self._folder / "data", port=self.port, auth=auth, backups=_BACKUPS))
        return Command([str(self._program), "run", "-config", str(config)], self.log)

    def answers(self) -> bool:
        return influxdb_answers(self.port)

    def wait_until_ready(self, check: Callable[[], None] = lambda: None) -> None:
        super().wait_until_ready(check)
        if self._admin_token is not None:
            self._require_admin(self._admin_token)

    def _require_admin(self, file: Path) -> None:
        """A server without users lets anybody make the first one, an administrator, and nobody do anything else."""
        token = token_in(file)
        if token is None:
            token = f"{_ADMIN}:{secrets.token_hex(32)}"
            # It must be known before it is in force.
            write_token(file, token)
        user, _, password = token.partition(":")
        if self._ask("SHOW USERS", (user, password)).is_success:
            return
        made = self._ask(f"CREATE USER \"{user}\" WITH PASSWORD '{password}' WITH ALL PRIVILEGES")
        if not made.is_success or "error" in made.text:
            raise ServiceFailed(
                self.name, f"has an administrator, whose password is not in {file}: put that file back", ""
            )

    def _ask(self, statement: str, who: tuple[str, str] | None = None) -> httpx.Response:
        with httpx.Client(auth=who, timeout=_SECONDS, trust_env=False) as client:
            return client.post(f"{self.url}/query", data={"q": statement})


def influxdb_answers(port: int) -> bool:
    """Whether InfluxDB answers on that port of loopback."""
    return status_of(port, "/ping") == HTTPStatus.NO_CONTENT
