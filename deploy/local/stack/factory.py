"""Which program plays which role, on which port, with which settings."""

import os
from collections.abc import Mapping
from typing import Final

from deploy.local.artifacts.cassandra import CassandraArtifacts
from deploy.local.artifacts.installed import Artifacts
from deploy.local.services.cassandra import Cassandra, cassandra_nodes
from deploy.local.services.gateway import Gateway
from deploy.local.services.influxdb import InfluxDB
from deploy.local.services.kafka import Kafka
from deploy.local.services.kafka_node import KafkaNode, Membership
from deploy.local.services.ports import free_port
from deploy.local.services.python_service import PythonService
from deploy.local.services.secured_kafka import SecuredKafka
from deploy.local.stack.backing.addresses import LOG, addresses_of
from deploy.local.stack.data_folder import DataFolder
from deploy.local.stack.members import Role
from deploy.local.stack.state_file import StateFile
from deploy.local.stack.upstreams import upstreams
from stores.influx.access.grants import Access

CONTROLLER: Final = "kafka-controller"
"""The name of Kafka's second port."""
TLS: Final = "kafka-tls"
"""The name of its third one, where users show certificates."""
ADMIN: Final = "admin"
"""The name of the token that may do everything in InfluxDB."""

_MODULES: Final = {
    Role.INGEST: "ingest_api",
    Role.WORKER: "stream_workers",
    Role.AGGREGATOR: "aggregator",
    Role.ROLLUP: "aggregator.rollup",
}
_USERS: Final = {
    Role.INGEST: "ingest",
    Role.WORKER: "worker",
    Role.AGGREGATOR: "aggregator",
    Role.ROLLUP: "aggregator",
}
"""Of Kafka, with --secure."""
_ACCESS: Final = {
    Role.WORKER: Access.WRITER,
    Role.AGGREGATOR: Access.READER,
    Role.ROLLUP: Access.WRITER,
}
"""To the store; the ingest API has none."""
_PORTS_ABOVE_GATEWAY: Final = {
    Role.INFLUXDB: 6,
    Role.CASSANDRA: 962,
    Role.INGEST: 100,
    Role.AGGREGATOR: 200,
    Role.WORKER: 300,
    Role.ROLLUP: 400,
    Role.KAFKA: 1012,
}
_CONTROLLER_ABOVE_GATEWAY: Final = 1013
_TLS_ABOVE_GATEWAY: Final = 1014
_PEERS: Final = "cassandra-peers"
_PEERS_ABOVE_GATEWAY: Final = 963
_OUTLIVES_A_BROKER: Final = {
    "COLLECTOR_INGEST_DELIVERY_TIMEOUT": "PT20S",
    # Longer than that and the time for a body.
    "COLLECTOR_INGEST_DRAIN_TIMEOUT": "PT35S",
}
"""Where another broker can take over: its election took up to 12 s on a busy machine, the default is 10 s."""


class ServiceFactory:
    """Makes the services of one stack. Ports: those of last time, else some near the gateway's, else any free ones."""

    def __init__(
        self,
        folder: DataFolder,
        state_file: StateFile,
        artifacts: Artifacts,
        gateway_port: int,
        *,
        secure: bool = False,
    ) -> None:
        self._folder = folder
        self._state_file = state_file
        self._artifacts = artifacts
        self._gateway_port = gateway_port
        self._secure = secure

    def kafka(self) -> Kafka:
        """The broker."""
        if self._secure:
            self._port(TLS, self._gateway_port + _TLS_ABOVE_GATEWAY)
        port = self._port(Role.KAFKA, self._gateway_port + _PORTS_ABOVE_GATEWAY[Role.KAFKA])
        controller = self._port(CONTROLLER, self._gateway_port + _CONTROLLER_ABOVE_GATEWAY)
        if self._secure:
            return self.secured_kafka()
        return Kafka(self._artifacts, self._folder.kafka, port, controller, self._folder.log(Role.KAFKA))

    def secured_kafka(self) -> SecuredKafka:
        """The broker of a stack that was started with --secure, on the ports that it has."""
        ports = self._state_file.ports
        log = self._folder.log(Role.KAFKA)
        return SecuredKafka(self._artifacts, self._folder.kafka, ports[Role.KAFKA], ports[CONTROLLER], ports[TLS], log)

    def brokers(self, number: int) -> list[Kafka]:
        """So many brokers of one quorum; a single one has its own, smaller way."""
        if number == 1:
            return [self.kafka()]
        first = self._gateway_port + _PORTS_ABOVE_GATEWAY[Role.KAFKA]
        ports = {one: self._port(f"{Role.KAFKA}-{one}", first + 10 * one) for one in range(1, number + 1)}
        controllers = {one: self._port(f"{CONTROLLER}-{one}", first + 10 * one + 1) for one in ports}
        nodes: list[Kafka] = []
        for one, port in ports.items():
            folder, log = self._folder.kafka / f"node-{one}", self._folder.log(f"{Role.KAFKA}-{one}")
            nodes.append(KafkaNode(self._artifacts, folder, port, Membership(one, controllers), log))
        for node in nodes:
            node.cluster_id = self._folder.kafka_cluster_id(nodes[0].cluster_id)
        return nodes

    def cassandra(self, artifacts: CassandraArtifacts, nodes: int) -> list[Cassandra]:
        """So many nodes of one cluster, on addresses of their own."""
        port = self._port(Role.CASSANDRA, self._gateway_port + _PORTS_ABOVE_GATEWAY[Role.CASSANDRA])
        peers = self._port(_PEERS, self._gateway_port + _PEERS_ABOVE_GATEWAY)
        names = [Role.CASSANDRA] if nodes == 1 else [f"{Role.CASSANDRA}-{one}" for one in range(1, nodes + 1)]
        return cassandra_nodes(artifacts, self._folder.cassandra, (port, peers), list(map(self._folder.log, names)))

    def influxdb(self) -> InfluxDB:
        """The store."""
        port = self._port(Role.INFLUXDB, self._gateway_port + _PORTS_ABOVE_GATEWAY[Role.INFLUXDB])
        folder, log = self._folder.influxdb, self._folder.log(Role.INFLUXDB)
        return InfluxDB(self._artifacts, folder, port, log, self._folder.influx_token(ADMIN))

    def gateway(self) -> Gateway:
        """The port before all processes that are members now."""
        self._state_file.set_port(Role.GATEWAY, self._gateway_port)
        log = self._folder.log(Role.GATEWAY)
        behind = upstreams(self._state_file.members)
        return Gateway(self._folder.gateway, self._gateway_port, log, behind, tls=self._secure)

    def numbered(self, role: Role, number: int) -> PythonService:
        """One of several equal processes: worker-2 and the like."""
        name = f"{role}-{number}"
        return self._program(role, name, self._port(name, self._gateway_port + _PORTS_ABOVE_GATEWAY[role] + number))

    def _program(self, role: Role, name: str, port: int) -> PythonService:
        return PythonService(name, port, self._folder.log(name), _MODULES[role], self._environment(role))

    def addresses(self, influx_user: str) -> Mapping[str, str]:
        """Where the brokers and the store are, that run by now."""
        return addresses_of(self._state_file.members, self._folder.influx_token(influx_user))

    def _environment(self, role: Role) -> Mapping[str, str]:
        """The token goes by a file: an environment can be read by others of the same user, and is inherited."""
        access = _ACCESS.get(role)
        addresses = self.addresses(access or Access.READER)
        needed = addresses if access is not None else {LOG: addresses[LOG]}
        environment = {f"COLLECTOR_{name.upper()}": value for name, value in needed.items()}
        if role is Role.INGEST and self._has_several_brokers() and not _OUTLIVES_A_BROKER.keys() & os.environ.keys():
            environment |= _OUTLIVES_A_BROKER
        if self._secure:
            environment |= self.secured_kafka().user_environment(_USERS[role])
            environment["COLLECTOR_KEYS_FILE"] = str(self._folder.keys)
        # The gateway's: so what one client may have is counted by its own address.
        environment["COLLECTOR_TRUSTED_PROXIES"] = "127.0.0.1"
        return environment

    def _has_several_brokers(self) -> bool:
        return sum(member.role is Role.KAFKA for member in self._state_file.members) > 1

    def _port(self, name: str, derived: int) -> int:
        others = {port for other, port in self._state_file.ports.items() if other != name}
        port = free_port((self._state_file.ports.get(name, derived), derived), {*others, self._gateway_port})
        self._state_file.set_port(name, port)
        return port
