"""Requests to Cassandra, over connections that open with the first one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Final, NamedTuple

from cassandra import InvalidRequest  # type: ignore[import-untyped] # the driver has no types
from cassandra.cluster import Cluster, Session  # type: ignore[import-untyped] # likewise

from contract.errors import StoreUnavailable
from stores.cassandra import queries
from stores.cassandra.driver.answers import Rows, pages
from stores.cassandra.driver.cluster import open_cluster
from stores.cassandra.driver.failures import store_error
from stores.cassandra.driver.mutations import Mutation
from stores.cassandra.driver.statements import write_of
from stores.cassandra.settings import CassandraSettings

ROWS_AT_ONCE: Final = 500
"""Rows in a page, unless somebody asks for fewer."""


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

    async def select(self, query: str, *values: object, rows_at_once: int = ROWS_AT_ONCE) -> Rows:
        """All rows. Raises StoreUnavailable."""
        pages_of_all = self.stream(query, *values, rows_at_once=rows_at_once)
        return [row async for page in pages_of_all for row in page]

    async def stream(self, query: str, *values: object, rows_at_once: int = ROWS_AT_ONCE) -> AsyncIterator[Rows]:
        """All rows in portions of bounded size, each asked for when the one before has been used."""
        opened = await self._open()
        statement = opened.prepared[query].bind(values)
        statement.fetch_size = rows_at_once
        async for page in pages(opened.session, statement):
            yield page

    async def write(self, mutation: Mutation) -> None:
        """Returns once a majority of replicas has acknowledged it. Raises StoreUnavailable or StoreConflict."""
        opened = await self._open()
        prepared = opened.prepared[mutation.query]
        async for _ in pages(opened.session, write_of(prepared, mutation.rows)):
            pass

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
        return _Opened(cluster, session, {query: idempotent(session, query) for query in queries.PREPARED})
    except Exception as error:
        cluster.shutdown()
        raise _unopened(error, settings) from error


def idempotent(session: Session, query: str) -> Any:  # noqa: ANN401 - the driver has no types
    """A statement that may be sent to several nodes."""
    statement = session.prepare(query)
    statement.is_idempotent = True
    return statement


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
        rows = session.execute(idempotent(session, queries.VERSIONS), [queries.ALL])
    except InvalidRequest:
        return 0
    return max((row[0] for row in rows), default=0)


def _no_schema(settings: CassandraSettings, found: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"keyspace {settings.cassandra_keyspace}: version {len(queries.MIGRATIONS)} of the schema is needed, {found}: "
        "run `python -m deploy.provision`",
        reason="schema",
    )
