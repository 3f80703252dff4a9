"""One Kafka node: broker and controller in one process, on loopback."""

import base64
import shutil
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined] # it is exported untyped

from deploy.local.artifacts.installed import Artifacts
from deploy.local.errors import ServiceFailed
from deploy.local.services.ports import is_free
from deploy.local.services.process import Command
from deploy.local.services.service import Service

_PROPERTIES = """\
process.roles=broker,controller
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.num.partitions=8
# A group of workers starts at once: nobody has to wait for others to join.
group.initial.rebalance.delay.ms=0
# The default takes 128 MB of a small heap for topics that we do not have.
log.cleaner.dedupe.buffer.size=8388608
"""

_OPEN = """\
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
"""

_ALONE = """\
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller_port}
# One node holds the only replica of everything.
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""

_LOGGING = """\
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %m (%c)%n%throwable
"""

_QUICK_START = "-XX:TieredStopAtLevel=1"
_OPTIONS = (
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
)
_ADMIN_SECONDS = 15.0
_FORMAT_SECONDS = 60.0


class Kafka(Service):
    """A broker whose data live in `folder`; they survive stop, kill and start."""

    heap = "768m"
    """The most that Java's heap may take."""
    replicas = 1
    """Copies of each partition of a topic that `create_topic` makes."""
    quick_start = True
    """Without Java's optimizing compiler, which takes 40 % of the CPU time of a start (4.7 s with it, 2.9 s without).

    False is for who runs for long: of 300,000 actions/s a broker takes a third less CPU with it, after 20 s."""

    def __init__(
        self, artifacts: Artifacts, folder: Path, port: int, controller_port: int, log: Path | None = None
    ) -> None:
        super().__init__("kafka", port, log or folder / "kafka.log")
        self.cluster_id = _random_id()
        """Who formats its folder under the same one belongs to the same cluster."""
        self._artifacts = artifacts
        self.folder = folder
        self.controller_port = controller_port

    @property
    def bootstrap(self) -> str:
        """Where clients begin."""
        return f"127.0.0.1:{self.port}"

    def prepare(self) -> Command:
        self.folder.mkdir(parents=True, exist_ok=True)
        # It holds users and what they did.
        self.folder.chmod(0o700)
        logging = self.folder / "log4j2.properties"
        logging.write_text(_LOGGING)
        data = self.folder / "data"
        if not data.is_dir():
            self._format(data)
        quick = [_QUICK_START] if self.quick_start else []
        options = [f"-Xmx{self.heap}", *quick, *_OPTIONS, f"-Dlog4j2.configurationFile={logging}"]
        return Command(self._java(*options, "kafka.Kafka", str(self._properties(data))), self.log)

    def answers(self) -> bool:
        return kafka_answers(self.port)

    def admin(self) -> AdminClient:
        """A client that may do everything, and logs nothing: its errors are raised."""
        return _admin(self.bootstrap)

    def create_topic(self, name: str, partitions: int, config: Mapping[str, str] | None = None) -> None:
        """Creates a topic whose record timestamps are the broker's (LogAppendTime), unless `config` says otherwise."""
        settings = {"message.timestamp.type": "LogAppendTime", **(config or {})}
        topic = NewTopic(name, partitions, self.replicas, config=settings)
        # A client that nobody holds any more answers nothing.
        admin = self.admin()
        admin.create_topics([topic], operation_timeout=_ADMIN_SECONDS)[name].result(_ADMIN_SECONDS)

    def brokers(self) -> int:
        """How many brokers it knows of, itself among them."""
        return len(self.admin().list_topics(timeout=_ADMIN_SECONDS).brokers)

    def topics(self) -> set[str]:
        """The names of all topics."""
        return set(self.admin().list_topics(timeout=_ADMIN_SECONDS).topics)

    def _java(self, *arguments: str) -> list[str]:
        return [str(self._artifacts.java), "-cp", f"{self._artifacts.kafka_jars}/*", *arguments]

    def _properties(self, data: Path) -> Path:
        path = self.folder / "server.properties"
        path.write_text(_PROPERTIES.format(data=data) + self.listeners() + self.membership())
        return path

    def listeners(self) -> str:
        """The properties that say where it listens, and to whom."""
        return _OPEN.format(port=self.port, controller_port=self.controller_port)

    def membership(self) -> str:
        """The properties that say who it is among whom."""
        return _ALONE.format(controller_port=self.controller_port)

    def format_flags(self) -> list[str]:
        """How its folder is formatted."""
        return ["--standalone"]

    def _format(self, data: Path) -> None:
        """Formats under another name: data that are there are whole."""
        partial = data.with_name("data.partial")
        shutil.rmtree(partial, ignore_errors=True)
        properties = str(self._properties(partial))
        flags = [*self.format_flags(), "-t", self.cluster_id, "-c", properties]
        tool = self._java("kafka.tools.StorageTool", "format", *flags)
        answer = subprocess.run(  # noqa: S603 # Java with our arguments
            tool, capture_output=True, text=True, timeout=_FORMAT_SECONDS, check=False, start_new_session=True
        )
        if answer.returncode:
            raise ServiceFailed(self.name, "cannot format its folder", answer.stdout + answer.stderr)
        partial.rename(data)


def _random_id() -> str:
    """16 random bytes as Kafka writes them; the first bit is 0, so that it begins with no dash."""
    raw = uuid.uuid4().bytes
    return base64.urlsafe_b64encode(bytes([raw[0] & 0x7F]) + raw[1:]).decode().rstrip("=")


def kafka_answers(port: int) -> bool:
    """Whether a broker answers on that port of loopback."""
    if is_free(port):
        return False
    admin = _admin(f"127.0.0.1:{port}")
    try:
        return bool(admin.list_topics(timeout=1).brokers)
    except KafkaException:
        return False


def _admin(bootstrap: str) -> AdminClient:
    """A client that logs nothing: its errors are raised."""
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
