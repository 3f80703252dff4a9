"""What each token may do, on real servers: 1.8 that asks for passwords, and 2.7."""

import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from contract.errors import StoreUnavailable
from contract.log.action import Action
from contract.log.progress import LogPartition, Progress
from contract.store import ProgressPoint, RawActions
from deploy.local.artifacts.installed import installed
from deploy.local.errors import LocalError, ServiceFailed
from deploy.local.services.influxdb import InfluxDB
from deploy.local.services.ports import free_port
from stores.influx.access.grants import Access, grant
from stores.influx.access.token_file import token_in
from stores.influx.connection import InfluxConnection
from stores.influx.schema import Bucket
from stores.influx.settings import InfluxSettings
from stores.influx.setup import create_buckets
from stores.influx.store import InfluxStore
from support.stores.subject import now

SOURCE = LogPartition("OldrkDJ2R4WmwCUXOqKyRw", 3)
POINT = ProgressPoint(SOURCE, 7, Progress(5))


class Guarded(InfluxDB):
    """InfluxDB 1.8 that asks for tokens; the administrator's lies in `admin`."""

    def __init__(self, folder: Path) -> None:
        try:
            artifacts = installed()
        except LocalError as error:
            pytest.skip(f"no InfluxDB: {error}")
        self.admin = folder / "tokens" / "admin"
        super().__init__(artifacts, folder, free_port(), folder / "log", self.admin)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with Guarded(tmp_path_factory.mktemp("guarded")) as server:
        yield server


@pytest.fixture
async def influx1_guarded(guarded: Guarded) -> InfluxSettings:
    settings = InfluxSettings(influx_url=guarded.url, influx_token_file=guarded.admin)
    await create_buckets(settings)
    return settings


@pytest.fixture(params=["influx1_guarded", pytest.param("influx2", marks=pytest.mark.influx2)])
def admin(request: pytest.FixtureRequest) -> InfluxSettings:
    """The administrator of each server in turn."""
    settings: InfluxSettings = request.getfixturevalue(request.param)
    return settings


@pytest.fixture
async def writer(admin: InfluxSettings, tmp_path: Path) -> AsyncIterator[InfluxStore]:
    store = await store_of(admin, Access.WRITER, tmp_path / "writer")
    yield store
    await store.close()


@pytest.fixture
async def reader(admin: InfluxSettings, tmp_path: Path) -> AsyncIterator[InfluxStore]:
    store = await store_of(admin, Access.READER, tmp_path / "reader")
    yield store
    await store.close()


def with_token(admin: InfluxSettings, token: str | None) -> InfluxSettings:
    assert token is not None
    return admin.model_copy(update={"influx_token": SecretStr(token)})


async def store_of(admin: InfluxSettings, access: Access, file: Path) -> InfluxStore:
    await grant(admin, access, file)
    return InfluxStore(with_token(admin, token_in(file)), now)


def rights_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def may_read(settings: InfluxSettings, bucket: str) -> bool:
    connection = InfluxConnection(settings)
    try:
        await connection.query(Bucket.named(bucket), "SELECT * FROM anything")
    except StoreUnavailable:
        return False
    finally:
        await connection.close()
    return True


async def test_a_writers_token_does_all_that_a_worker_needs(writer: InfluxStore) -> None:
    await writer.write_actions([RawActions(SOURCE, 0, [Action(now(), "u", "click")])])
    await writer.write_progress([POINT])
    assert await writer.read_progress() == {SOURCE: Progress(5)}


async def test_a_readers_token_reads_results_and_writes_none(writer: InfluxStore, reader: InfluxStore) -> None:
    await writer.write_progress([POINT])
    assert await reader.read_progress() == {SOURCE: Progress(5)}
    await reader.ping()
    with pytest.raises(StoreUnavailable) as refused:
        await reader.write_progress([ProgressPoint(SOURCE, 7, Progress(9))])
    assert refused.value.reason in {"forbidden", "unauthorized", "not_found"}
    assert await writer.read_progress() == {SOURCE: Progress(5)}


async def test_only_a_writers_token_reads_raw_actions(admin: InfluxSettings, tmp_path: Path) -> None:
    for access in Access:
        await grant(admin, access, tmp_path / access)
        settings = with_token(admin, token_in(tmp_path / access))
        assert await may_read(settings, admin.raw_bucket) is (access is Access.WRITER)


@pytest.mark.parametrize("access", list(Access))
async def test_no_token_makes_or_drops_buckets(admin: InfluxSettings, access: Access, tmp_path: Path) -> None:
    await grant(admin, access, tmp_path / "token")
    settings = with_token(admin, token_in(tmp_path / "token"))
    with pytest.raises(StoreUnavailable):
        await create_buckets(settings.model_copy(update={"raw_bucket": "more/autogen"}))
    connection = InfluxConnection(settings)
    with pytest.raises(StoreUnavailable):
        await connection.query(None, f'DROP DATABASE "{Bucket.named(admin.hourly_bucket).database}"')
    await connection.close()
    assert await may_read(admin, admin.hourly_bucket)


async def test_a_token_that_works_stays_and_only_its_owner_reads_it(admin: InfluxSettings, tmp_path: Path) -> None:
    file = tmp_path / "made" / "token"
    await grant(admin, Access.READER, file)
    first = token_in(file)
    await grant(admin, Access.READER, file)
    assert token_in(file) == first
    assert rights_of(file) == 0o600
    assert rights_of(file.parent) == 0o700


async def test_a_token_whose_file_was_removed_works_no_more(admin: InfluxSettings, tmp_path: Path) -> None:
    file = tmp_path / "token"
    await grant(admin, Access.READER, file)
    lost = token_in(file)
    file.unlink()
    await grant(admin, Access.READER, file)
    assert await may_read(with_token(admin, token_in(file)), admin.hourly_bucket)
    assert not await may_read(with_token(admin, lost), admin.hourly_bucket)


async def test_nobody_does_anything_without_a_token(influx1_guarded: InfluxSettings) -> None:
    for token in ("collector:collector", "admin:admin", "nonsense"):
        store = InfluxStore(with_token(influx1_guarded, token), now)
        for call in (store.read_progress, lambda: store.write_progress([POINT])):  # noqa: B023 - called at once
            with pytest.raises(StoreUnavailable) as refused:
                await call()
            assert refused.value.reason == "unauthorized"
            assert token not in str(refused.value)
        await store.close()


async def test_data_of_a_server_that_asked_for_no_token_are_kept(tmp_path: Path) -> None:
    before = Guarded(tmp_path)
    with InfluxDB(installed(), tmp_path, before.port, tmp_path / "log") as unguarded:
        store = InfluxStore(InfluxSettings(influx_url=unguarded.url), now)
        await create_buckets(InfluxSettings(influx_url=unguarded.url))
        await store.write_progress([POINT])
        await store.close()
    with before as server:
        settings = InfluxSettings(influx_url=server.url, influx_token_file=server.admin)
        store = InfluxStore(settings, now)
        assert await store.read_progress() == {SOURCE: Progress(5)}
        await store.close()
        assert not await may_read(with_token(settings, "collector:collector"), settings.hourly_bucket)
    assert rights_of(tmp_path) == 0o700
    assert rights_of(server.admin) == 0o600


def test_a_server_whose_administrators_token_was_lost_is_told(tmp_path: Path) -> None:
    with Guarded(tmp_path) as server:
        server.admin.unlink()
    with pytest.raises(ServiceFailed, match="put that file back"):
        Guarded(tmp_path).__enter__()
