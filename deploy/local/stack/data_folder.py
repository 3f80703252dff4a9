"""The data folder of one stack: what lies where in it, and the lock that its commands take."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.errors import CannotStart, NoStack


class DataFolder:
    """One stack's folder. Data, logs and ports in it survive `down` and `up`."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.state = self.path / "stack.json"
        self.kafka = self.path / "kafka"
        self.influxdb = self.path / "influxdb"
        self.cassandra = self.path / "cassandra"
        self.gateway = self.path / "gateway"
        self.pages = self.gateway / "pages"
        self.logs = self.path / "logs"
        self.keys = self.path / "keys" / "keys.jsonl"
        self.operators_key = self.path / "keys" / "operator.key"

    def kafka_cluster_id(self, new: str) -> str:
        """The id that all brokers format their folders under: `new`, if there is none yet."""
        file = self.kafka / "cluster-id"
        if not file.exists():
            self.kafka.mkdir(parents=True, exist_ok=True)
            partial = file.with_name(f"{file.name}.partial")
            partial.write_text(new)
            partial.replace(file)
        return file.read_text()

    def log(self, name: str) -> Path:
        """The log of the process of that name."""
        return self.logs / f"{name}.log"

    @property
    def is_secure(self) -> bool:
        """Whether the stack was started with --secure: Kafka's certificates are made then."""
        return (self.kafka / "certificates").is_dir()

    def influx_token(self, name: str) -> Path:
        """The file with InfluxDB's token for the administrator (`admin`), or for some access."""
        return self.influxdb / "tokens" / name

    def create(self) -> None:
        """Makes the folder. Raises CannotStart if that cannot be done."""
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotStart(f"cannot write to the data folder {self.path}: {error}") from error

    @contextmanager
    def changing(self, *, wait: bool = True) -> Iterator[None]:
        """Holds the lock of those who start or stop processes here; without `wait`, another holder is an error."""
        if not self.path.is_dir():
            raise NoStack(f"no stack in {self.path}")
        descriptor = os.open(self.path / "stack.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            yield
        except BlockingIOError as error:
            raise CannotStart(
                f"another collector command is at work in {self.path}: try again when it is done"
            ) from error
        finally:
            os.close(descriptor)
