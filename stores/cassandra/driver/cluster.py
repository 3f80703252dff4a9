"""The driver's cluster: where it connects, and how."""

import logging
import ssl
from socket import IPPROTO_TCP, TCP_NODELAY
from typing import Final

from cassandra import ConsistencyLevel  # type: ignore[import-untyped] # the driver has no types
from cassandra.auth import AuthProvider, PlainTextAuthenticator  # type: ignore[import-untyped] # likewise
from cassandra.cluster import (  # type: ignore[import-untyped] # likewise
    EXEC_PROFILE_DEFAULT,
    Cluster,
    ExecutionProfile,
)
from cassandra.policies import (  # type: ignore[import-untyped] # likewise
    ConstantReconnectionPolicy,
    DCAwareRoundRobinPolicy,
    TokenAwarePolicy,
)
from cassandra.query import tuple_factory  # type: ignore[import-untyped] # likewise

from stores.cassandra.driver.another_node import AskAnother, not_answered_yet
from stores.cassandra.driver.slow_nodes import SlowNodesLast
from stores.cassandra.settings import CassandraSettings

_PROTOCOL: Final = 4
"""The driver computes the checksums of version 5 in Python; ScyllaDB speaks 4, too."""

_SOCKET_OPTIONS: Final = ((IPPROTO_TCP, TCP_NODELAY, 1),)
"""Without it a request above 4 KB took 50 ms instead of 5."""

_RECONNECT_SECONDS: Final = 1.0

_HEARTBEAT_SECONDS: Final = 5
"""A node that hangs closes no connection: once a heartbeat is unanswered for so long, it is not asked any more."""


class _Password(AuthProvider):  # type: ignore[misc] # a class without types
    """Reads the password anew for each connection, so that its file may change."""

    def __init__(self, settings: CassandraSettings) -> None:
        self._settings = settings

    def new_authenticator(self, _host: str) -> PlainTextAuthenticator:
        """For one connection."""
        file = self._settings.cassandra_password_file
        assert file is not None
        return PlainTextAuthenticator(self._settings.cassandra_username, file.read_text().strip())


def open_cluster(settings: CassandraSettings) -> Cluster:
    """The driver's cluster, which connects to nothing yet."""
    _quieten_driver()
    tls = None
    if settings.cassandra_ca_file is not None:
        tls = ssl.create_default_context(cafile=str(settings.cassandra_ca_file))
        # Nodes are found by their addresses; certificates name them by whatever their operator chose.
        tls.check_hostname = False
    profile = ExecutionProfile(
        load_balancing_policy=SlowNodesLast(TokenAwarePolicy(DCAwareRoundRobinPolicy(settings.cassandra_datacenter))),
        consistency_level=ConsistencyLevel.name_to_value[settings.cassandra_consistency],
        request_timeout=settings.cassandra_timeout.total_seconds(),
        row_factory=tuple_factory,
        retry_policy=AskAnother(),
        speculative_execution_policy=not_answered_yet(),
    )
    return Cluster(
        settings.hosts,
        port=settings.cassandra_port,
        protocol_version=_PROTOCOL,
        auth_provider=_Password(settings) if settings.cassandra_username else None,
        ssl_context=tls,
        compression=False,
        sockopts=_SOCKET_OPTIONS,
        idle_heartbeat_interval=_HEARTBEAT_SECONDS,
        idle_heartbeat_timeout=_HEARTBEAT_SECONDS,
        reconnection_policy=ConstantReconnectionPolicy(_RECONNECT_SECONDS, max_attempts=None),
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
    )


def _quieten_driver() -> None:
    """The driver writes a traceback for each attempt to reach a node that is away; our errors say what matters."""
    if logging.getLogger().level > logging.DEBUG:
        logging.getLogger("cassandra").setLevel(logging.CRITICAL)
