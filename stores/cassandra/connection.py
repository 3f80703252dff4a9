"""Requests to Cassandra: the driver's own threads do the work, the event loop waits for it."""

import asyncio
import logging
import ssl
from contextlib import suppress
from socket import IPPROTO_TCP, TCP_NODELAY
from typing import Any, Final, NamedTuple

from cassandra import ConsistencyLevel, InvalidRequest  # type: ignore[import-untyped] # the driver has no types
from cassandra.auth import AuthProvider, PlainTextAuthenticator  # type: ignore[import-untyped] # likewise
from cassandra.cluster import (  # type: ignore[import-untyped] # likewise
    EXEC_PROFILE_DEFAULT,
    Cluster,
    ExecutionProfile,
    Session,
)
from cassandra.policies import (  # type: ignore[import-untyped] # likewise
    ConstantReconnectionPolicy,
    DCAwareRoundRobinPolicy,
    TokenAwarePolicy,
)
from cassandra.query import BatchStatement, BatchType, tuple_factory  # type: ignore[import-untyped] # likewise

from contract.errors import StoreUnavailable
from stores.cassandra import queries
from stores.cassandra.failures import store_error
from stores.cassandra.mutations import Mutation, Values
from stores.cassandra.settings import CassandraSettings

Row = tuple[Any, ...]

_PROTOCOL: Final = 4
"""The driver computes the checksums of version 5 in Python; ScyllaDB speaks 4, too."""

_SOCKET_OPTIONS: Final = ((IPPROTO_TCP, TCP_NODELAY, 1),)
"""Without it a request above 4 KB took 50 ms instead of 5."""

_RECONNECT_SECONDS: Final = 1.0
_ROWS_AT_ONCE: Final = 500
"""Rows in a page: of the largest segments, 24 MB."""


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
        load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy(settings.cassandra_datacenter)),
        consistency_level=ConsistencyLevel.name_to_value[settings.cassandra_consistency],
        request_timeout=settings.cassandra_timeout.total_seconds(),
        row_factory=tuple_factory,
    )
    return Cluster(
        settings.hosts,
        port=settings.cassandra_port,
        protocol_version=_PROTOCOL,
        auth_provider=_Password(settings) if settings.cassandra_username else None,
        ssl_context=tls,
        compression=False,
        sockopts=_SOCKET_OPTIONS,
        reconnection_policy=ConstantReconnectionPolicy(_RECONNECT_SECONDS, max_attempts=None),
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
    )


def _quieten_driver() -> None:
    """The driver writes a traceback for each attempt to reach a node that is away; our errors say what matters."""
    if logging.getLogger().level > logging.DEBUG:
        logging.getLogger("cassandra").setLevel(logging.CRITICAL)


class _Opened(NamedTuple):
    cluster: Cluster
    session: Session
    prepared: dict[str, Any]


class CassandraConnection:
    """Connections to all nodes. They open with the first request, and answer to that request's event loop."""

    def __init__(self, settings: CassandraSettings) -> None:
        """Opens nothing."""
        self._settings = settings
        self._opening: asyncio.Task[_Opened] | None = None

    async def select(self, query: str, *values: object) -> list[Row]:
        """All rows. Raises StoreUnavailable."""
        opened = await self._open()
        statement = opened.prepared[query].bind(values)
        statement.fetch_size = _ROWS_AT_ONCE
        return await _execute(opened.session, statement)

    async def write(self, mutation: Mutation) -> None:
        """Returns once a majority of replicas has acknowledged it. Raises StoreUnavailable or StoreConflict."""
        opened = await self._open()
        prepared = opened.prepared[mutation.query]
        await _execute(opened.session, _statement(prepared, mutation.rows))

    async def close(self) -> None:
        """Closes the connections; a later request opens new ones."""
        opening, self._opening = self._opening, None
        if opening is not None:
            with suppress(StoreUnavailable):
                await asyncio.to_thread((await opening).cluster.shutdown)

    async def _open(self) -> _Opened:
        if self._opening is None or (self._opening.done() and self._opening.exception() is not None):
            self._opening = asyncio.create_task(asyncio.to_thread(_connect, self._settings))
        # Who asked first may be given up; what was opened serves the others.
        return await asyncio.shield(self._opening)


def _connect(settings: CassandraSettings) -> _Opened:
    """Blocks. Raises StoreUnavailable, also where the schema is not there."""
    cluster = open_cluster(settings)
    try:
        session = cluster.connect()
        # Only so is a keyspace that is missing told apart from a node that is away.
        session.set_keyspace(settings.cassandra_keyspace)
        _require_schema(session, settings)
        return _Opened(cluster, session, {query: session.prepare(query) for query in queries.PREPARED})
    except Exception as error:
        cluster.shutdown()
        raise _unopened(error, settings) from error


def _unopened(error: Exception, settings: CassandraSettings) -> Exception:
    if isinstance(error, StoreUnavailable):
        return error
    if isinstance(error, InvalidRequest) and "does not exist" in str(error):
        return _no_schema(settings, "there is none")
    return store_error(error)


def _require_schema(session: Session, settings: CassandraSettings) -> None:
    version = schema_version(session)
    if version < len(queries.MIGRATIONS):
        found = f"it has version {version}" if version else "there is none"
        raise _no_schema(settings, found)


def schema_version(session: Session) -> int:
    """The version of the keyspace's schema; 0: there is none. Blocks."""
    try:
        rows = session.execute(session.prepare(queries.VERSIONS), [queries.ALL])
    except InvalidRequest:
        return 0
    return max((row[0] for row in rows), default=0)


def _no_schema(settings: CassandraSettings, found: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"keyspace {settings.cassandra_keyspace}: version {len(queries.MIGRATIONS)} of the schema is needed, {found}: "
        "run `python -m deploy.provision`",
        reason="schema",
    )


def _statement(prepared: Any, rows: list[Values]) -> Any:  # noqa: ANN401 - the driver has no types
    """One row is no batch; the rows of a batch are one write, as they are of one partition."""
    if len(rows) == 1:
        return prepared.bind(rows[0])
    batch = BatchStatement(BatchType.UNLOGGED)
    for row in rows:
        batch.add(prepared.bind(row))
    return batch


async def _execute(session: Session, statement: Any) -> list[Row]:  # noqa: ANN401 - likewise
    """All pages. Cancelled, the request goes on, and its answer is thrown away."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[list[Row]] = loop.create_future()
    found: list[Row] = []

    def page(rows: list[Row] | None) -> None:
        found.extend(rows or ())
        if response.has_more_pages and not answered.cancelled():
            response.start_fetching_next_page()
        else:
            _hand_over(loop, answered, found)

    def failed(error: BaseException) -> None:
        _hand_over(loop, answered, store_error(error))

    try:
        response = session.execute_async(statement)
    except Exception as error:
        raise store_error(error) from error
    response.add_callbacks(page, failed)
    return await answered


def _hand_over(
    loop: asyncio.AbstractEventLoop, answered: "asyncio.Future[list[Row]]", outcome: list[Row] | Exception
) -> None:
    """From a thread of the driver's to the event loop's."""

    def settle() -> None:
        if answered.done():
            return
        if isinstance(outcome, Exception):
            answered.set_exception(outcome)
        else:
            answered.set_result(outcome)

    # The loop may be over: then nobody waits any more.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(settle)
