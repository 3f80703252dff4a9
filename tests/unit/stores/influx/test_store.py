"""What goes over the wire, and when."""

import asyncio
import json
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from pydantic import ValidationError

from contract.errors import StateUnreadable, StoreConflict
from contract.hour import HOUR_MS
from contract.log.action import Action
from contract.log.progress import LogPartition, Progress
from contract.store import SLOTS, ProgressPoint, RawActions
from contract.windows.window_value import WindowValue
from stores.influx.settings import InfluxSettings
from stores.influx.store import InfluxStore
from stores.raw.settings import RawStorage
from support.fixtures.influx_stub import STORED, Request, answer, influx_stub

SOURCE = LogPartition("OldrkDJ2R4WmwCUXOqKyRw", 3)
NOW = 494_902 * HOUR_MS
EMPTY = answer(200, '{"results":[{"statement_id":0}]}\n')


def actions(count: int, timestamp: int = NOW) -> list[RawActions]:
    return [RawActions(SOURCE, 0, [Action(timestamp, "u", "e")] * count)]


async def test_a_write_names_bucket_organization_token_and_nanoseconds() -> None:
    async with influx_stub(STORED) as stub:
        store = InfluxStore(stub.settings(influx_token="secret", influx_org="us"), lambda: NOW)
        await store.write_actions(actions(1))
        await store.write_progress([ProgressPoint(SOURCE, 0, Progress())])
        await store.close()
    raw, hourly = stub.requests
    assert raw.path == hourly.path == "/api/v2/write"
    assert raw.query == {"bucket": ["actions/autogen"], "org": ["us"], "precision": ["ns"]}
    assert hourly.query["bucket"] == ["hourly/autogen"]
    assert raw.headers["authorization"] == hourly.headers["authorization"] == "Token secret"


async def test_a_query_is_asked_of_the_bucket_in_chunks_and_in_nanoseconds() -> None:
    async with influx_stub(EMPTY) as stub:
        store = InfluxStore(stub.settings(hourly_bucket="results/ever"), lambda: NOW)
        assert await store.read_windows(NOW) == []
        await store.close()
    (request,) = stub.requests
    assert request.path == "/query"
    assert request.query.pop("q")[0].startswith('SELECT "state" FROM "hourly" WHERE time >= ')
    assert request.query == {"db": ["results"], "rp": ["ever"], "epoch": ["ns"], "chunked": ["true"]}


async def test_a_read_survives_that_the_server_was_started_anew() -> None:
    def answer_and_cut(_: Request, writer: asyncio.StreamWriter) -> bool:
        EMPTY(_, writer)
        return False

    async with influx_stub(answer_and_cut, answer_and_cut, EMPTY) as stub:
        store = InfluxStore(stub.settings(), lambda: NOW)
        for _ in range(3):
            assert await store.read_windows(NOW) == []
        await store.close()


async def test_progress_of_many_idle_sources_is_asked_for_in_a_body() -> None:
    latest = ",".join(
        f'{{"tags":{{"log":"l","partition":"{partition}"}},"values":[[{partition * SLOTS},""]]}}'
        for partition in range(100)
    )
    hours = [
        f'{{"results":[{{"statement_id":{hour},"series":[{{"tags":{{"log":"l","partition":"{hour}"}},'
        f'"values":[[{hour * SLOTS},"{{\\"version\\":1,\\"through_offset\\":{hour}}}"]]}}]}}]}}'
        for hour in range(100)
    ]
    first = f'{{"results":[{{"statement_id":0,"series":[{latest}]}}]}}'
    async with influx_stub(answer(200, first), answer(200, "\n".join(hours))) as stub:
        store = InfluxStore(stub.settings(), lambda: NOW)
        found = await store.read_progress()
        await store.close()
    assert {source.partition: progress.through_offset for source, progress in found.items()} == dict(
        zip(range(100), range(100), strict=True)
    )
    assert "q" not in stub.requests[1].query
    assert parse_qs(stub.requests[1].body.decode())["q"][0].count("SELECT") == 100


@pytest.mark.parametrize("gzip", [False, True])
async def test_writes_are_compressed_only_where_the_setting_says_so(gzip: bool) -> None:  # noqa: FBT001 - a parameter of the test
    async with influx_stub(STORED) as stub:
        store = InfluxStore(stub.settings(influx_gzip=gzip), lambda: NOW)
        await store.write_actions(actions(3))
        await store.close()
    assert len(stub.requests[0].lines) == 3
    assert ("content-encoding" in stub.requests[0].headers) is gzip


async def test_where_raw_storage_is_off_nothing_is_asked_of_the_server() -> None:
    async with influx_stub(STORED) as stub:
        store = InfluxStore(stub.settings(raw_storage="off"), lambda: NOW)
        await store.write_actions(actions(3))
        await store.close()
    assert stub.requests == []


async def test_raw_actions_near_the_end_of_their_retention_are_not_sent() -> None:
    oldest = NOW - 10 * 24 * HOUR_MS + 2 * HOUR_MS
    async with influx_stub(STORED) as stub:
        store = InfluxStore(stub.settings(raw_retention="P10D", raw_retention_margin="PT2H"), lambda: NOW)
        await store.write_actions(actions(3, oldest - 1))
        assert stub.requests == []
        await store.write_actions(actions(3, oldest))
        await store.close()
    assert len(stub.requests[0].lines) == 3


async def test_requests_run_side_by_side_up_to_the_setting_and_all_are_awaited() -> None:
    open_requests: list[asyncio.StreamWriter] = []

    def hold(_: Request, writer: asyncio.StreamWriter) -> bool:
        open_requests.append(writer)
        if len(open_requests) == 3:
            for held in open_requests:
                held.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            open_requests.clear()
        return True

    async with influx_stub(hold) as stub:
        settings = stub.settings().model_copy(update={"influx_connections": 3})
        store = InfluxStore(settings, lambda: NOW)
        await store.write_actions(actions(6 * 5_000))
        await store.close()
    assert len(stub.requests) == 6
    assert open_requests == []


@pytest.mark.parametrize(
    "series",
    [
        '{"tags":{"log":"l","partition":"3"},"values":[[0,"{\\"version\\":1,\\"through_off"]]}',
        '{"tags":{"log":"l","partition":"3"},"values":[[0,"{\\"version\\":9}"]]}',
        '{"tags":{"log":"l","partition":""},"values":[[0,"{\\"version\\":1}"]]}',
        '{"tags":{},"values":[[0,"{\\"version\\":1}"]]}',
    ],
)
async def test_a_row_that_cannot_be_read_is_not_skipped(series: str) -> None:
    async with influx_stub(answer(200, f'{{"results":[{{"statement_id":0,"series":[{series}]}}]}}')) as stub:
        store = InfluxStore(stub.settings(), lambda: NOW)
        with pytest.raises(StateUnreadable):
            await store.read_windows(0)
        with pytest.raises(StateUnreadable):
            await store.read_progress()
        await store.close()


@pytest.mark.parametrize(
    ("part", "users"), [("1", '"AQAAAAAAAAA="'), ("", '""'), ("0/1", '"AQ=="'), ("0/1", '"AQAA"'), ("0/1", '"?"')]
)
async def test_a_segment_that_cannot_be_read_is_not_skipped(part: str, users: str) -> None:
    series = f'{{"tags":{{"log":"l","partition":"3","part":"{part}"}},"values":[[0,{users},null]]}}'
    async with influx_stub(answer(200, f'{{"results":[{{"statement_id":0,"series":[{series}]}}]}}')) as stub:
        store = InfluxStore(stub.settings(), lambda: NOW)
        with pytest.raises(StateUnreadable):
            await store.read_segments(0, SOURCE, WindowValue(7))
        await store.close()


async def test_a_refusal_of_lines_names_no_user() -> None:
    body = json.dumps({"error": 'unable to parse \'actions,event=e user="the \\"one\\" user",id="its id" 1\': why'})
    async with influx_stub(answer(400, body)) as stub:
        store = InfluxStore(stub.settings(), lambda: NOW)
        with pytest.raises(StoreConflict) as raised:
            await store.write_actions([RawActions(SOURCE, 0, [Action(NOW, 'the "one" user', "e", "its id")])])
        await store.close()
    told = str(raised.value)
    assert "one" not in told.split(": ", 1)[1]
    assert "its id" not in told
    assert "unable to parse" in told
    assert told.endswith(": why")
    assert "actions,event=_other,lap=0" in told


async def test_a_refusal_of_packed_lines_shows_nothing_of_them() -> None:
    body = json.dumps({"error": "unable to parse 'action_runs,lap=0 packed=\"c2VjcmV0\" 1': why"})
    async with influx_stub(answer(400, body)) as stub:
        store = InfluxStore(stub.settings(raw_storage="packed"), lambda: NOW)
        with pytest.raises(StoreConflict, match="action_runs,lap=0") as raised:
            await store.write_actions(actions(1))
        await store.close()
    assert "c2VjcmV0" not in str(raised.value)
    assert str(raised.value).endswith(": why")


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTOR_INFLUX_URL", "http://influx:8086")
    monkeypatch.setenv("COLLECTOR_RAW_RETENTION", "P2D")
    monkeypatch.setenv("COLLECTOR_RAW_STORAGE", "packed")
    settings = InfluxSettings()
    assert str(settings.influx_url) == "http://influx:8086/"
    assert settings.raw_retention == timedelta(days=2)
    assert settings.raw_storage is RawStorage.PACKED


def test_the_token_is_not_shown() -> None:
    assert "secret" not in repr(InfluxSettings(influx_token="secret"))  # type: ignore[arg-type] # pydantic wraps it


@pytest.mark.parametrize(
    "wrong",
    [
        {"influx_url": "no url"},
        {"raw_retention": "PT59M"},
        {"raw_retention": "PT2H", "raw_retention_margin": "PT2H"},
        {"influx_timeout": "PT0S"},
        {"influx_connections": 0},
        {"influx_org": ""},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        InfluxSettings(**wrong)  # type: ignore[arg-type] # what pydantic is there to check
