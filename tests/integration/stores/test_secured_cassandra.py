"""Cassandra that asks for passwords and speaks TLS alone, as docs/cassandra.md says."""

import asyncio
from collections.abc import Iterator

import pytest

from contract.errors import StoreUnavailable
from contract.log.progress import LogPartition, Progress
from contract.store import ProgressPoint
from deploy.local.artifacts.cassandra import CassandraArtifacts
from deploy.local.services.certificates import CertificateAuthority
from stores.cassandra.settings import CassandraSettings
from stores.cassandra.setup import create_schema
from stores.cassandra.store import CassandraStore
from support.cluster.secured_node import SecuredNode
from support.pipeline.eventually import eventually_stored
from support.stores.subject import now

SOURCE = LogPartition("OldrkDJ2R4WmwCUXOqKyRw", 3)
POINT = ProgressPoint(SOURCE, 7, Progress(5))
ROLES = (
    "CREATE ROLE provisioner WITH PASSWORD = 'to create' AND LOGIN = true",
    "GRANT CREATE ON ALL KEYSPACES TO provisioner",
    "CREATE ROLE services WITH PASSWORD = 'to count' AND LOGIN = true",
    "CREATE ROLE reader WITH PASSWORD = 'to read' AND LOGIN = true",
    "CREATE ROLE changing WITH PASSWORD = 'the first' AND LOGIN = true",
)
GRANTS = (
    "GRANT SELECT ON KEYSPACE collector TO services",
    "GRANT MODIFY ON KEYSPACE collector TO services",
    "GRANT SELECT ON KEYSPACE collector TO reader",
    "GRANT SELECT ON KEYSPACE collector TO changing",
)


@pytest.fixture(scope="module")
def node(cassandra_artifacts: CassandraArtifacts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredNode]:
    """With the schema, made by who may create, and two users who may not."""
    with SecuredNode(cassandra_artifacts, tmp_path_factory.mktemp("secured-cassandra")) as node:
        asyncio.run(_roles(node))
        asyncio.run(create_schema(node.settings("provisioner", "to create")))
        node.say(*GRANTS)
        yield node


async def _roles(node: SecuredNode) -> None:
    """Its first user comes some time after it answers."""

    async def made() -> bool:
        try:
            await asyncio.to_thread(node.say, *ROLES)
        except Exception as error:  # noqa: BLE001 # whatever the driver raises until then
            return "already exists" in str(error)
        return True

    await eventually_stored(made, 120, node.log_tail)


async def written(settings: CassandraSettings) -> dict[LogPartition, Progress]:
    """What is read after a write."""
    store = CassandraStore(settings, now)
    try:
        await store.write_progress([POINT])
        return await store.read_progress()
    finally:
        await store.close()


async def test_who_may_select_and_modify_counts_and_who_may_select_reads(node: SecuredNode) -> None:
    assert await written(node.settings("services", "to count")) == {SOURCE: Progress(5)}
    reader = CassandraStore(node.settings("reader", "to read"), now)
    await reader.ping()
    assert await reader.read_progress() == {SOURCE: Progress(5)}
    await reader.close()


@pytest.mark.parametrize(("user", "password"), [("services", "wrong"), ("nobody", "to count"), ("reader", "to read")])
async def test_a_wrong_password_an_unknown_user_and_one_without_rights_are_unauthorized(
    node: SecuredNode, user: str, password: str
) -> None:
    with pytest.raises(StoreUnavailable) as raised:
        await written(node.settings(user, password))
    assert raised.value.reason == "unauthorized"
    assert password not in str(raised.value)


async def test_a_password_that_was_changed_is_read_at_the_next_connection(node: SecuredNode) -> None:
    store = CassandraStore(node.settings("changing", "the first"), now)
    await store.read_progress()
    node.say("ALTER ROLE changing WITH PASSWORD = 'the second'")
    await store.close()
    with pytest.raises(StoreUnavailable):
        await store.read_progress()
    node.settings("changing", "the second")
    await store.read_progress()
    await store.close()


async def test_who_does_not_trust_the_node_or_speaks_plain_text_sends_no_password(node: SecuredNode) -> None:
    other = CertificateAuthority(node.folder / "other")
    for file in (other.own.certificate, None):
        with pytest.raises(StoreUnavailable) as raised:
            await written(node.settings("services", "to count", cassandra_ca_file=file))
        assert raised.value.reason == "connect"
