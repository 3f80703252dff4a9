"""A broker with a second listener that is reached through a proxy, which can be cut."""

from pathlib import Path

from deploy.local.artifacts.installed import Artifacts
from deploy.local.services.kafka import Kafka
from deploy.local.services.ports import free_port
from deploy.local.services.process import Command


class ProxiedKafka(Kafka):
    """Clients that bootstrap at `proxied` stay there: a broker advertises an address per listener."""

    def __init__(self, artifacts: Artifacts, folder: Path) -> None:
        super().__init__(artifacts, folder, free_port(), free_port())
        self.behind_proxy = f"127.0.0.1:{free_port()}"
        """Where the proxy connects to."""
        self.proxied = f"127.0.0.1:{free_port()}"
        """Where the proxy listens."""
        self.data = folder / "data"
        """A folder for each partition."""
        self._settings = folder / "server.properties"

    def prepare(self) -> Command:
        command = super().prepare()
        text = self._settings.read_text()
        text = text.replace("\nlisteners=", f"\nlisteners=PROXIED://{self.behind_proxy},")
        text = text.replace("\nadvertised.listeners=", f"\nadvertised.listeners=PROXIED://{self.proxied},")
        text = text.replace("PLAINTEXT:PLAINTEXT", "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT")
        self._settings.write_text(text)
        return command
