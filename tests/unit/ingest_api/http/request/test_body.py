import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect

from ingest_api.errors import NotPublished, RequestRefused
from ingest_api.http.request.body import BodyLimits, receive_body, refuse_announced
from ingest_api.http.request.inflate import inflate, is_gzip
from ingest_api.publishing.memory_budget import MemoryBudget
from support.fixtures.ingest import Turns

LIMITS = BodyLimits(sent=1000, decompressed=3000, seconds=60)


async def stream(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def read(
    *pieces: bytes, gzipped: bool = False, limits: BodyLimits = LIMITS, budget: MemoryBudget | None = None
) -> bytes:
    with (budget or MemoryBudget(10**9, "bodies")).reservation() as reservation:
        sent = await receive_body(stream(pieces), limits=limits, reservation=reservation)
        return await inflate(sent, limits.decompressed, reservation) if is_gzip(sent, declared=gzipped) else sent


async def refusal_of(*pieces: bytes, gzipped: bool = False, limits: BodyLimits = LIMITS) -> tuple[int, str]:
    with pytest.raises(RequestRefused) as refused:
        await read(*pieces, gzipped=gzipped, limits=limits)
    return refused.value.status, refused.value.code


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


async def test_a_body_is_what_its_pieces_make_together() -> None:
    assert await read(b"ab", b"", b"c") == b"abc"
    assert await read() == b""


async def test_a_body_may_be_as_large_as_the_limit_and_one_byte_more_is_refused() -> None:
    assert len(await read(b"x" * 600, b"x" * 400)) == 1000
    assert await refusal_of(b"x" * 600, b"x" * 401) == (413, "body_too_large")


async def test_bytes_are_counted_while_they_stream_so_an_endless_body_is_refused_as_well() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 100

    with MemoryBudget(10**9, "bodies").reservation() as reservation, pytest.raises(RequestRefused):
        await receive_body(endless(), limits=LIMITS, reservation=reservation)
    assert reservation.size <= LIMITS.sent


@given(st.binary(max_size=300), st.binary(max_size=300), st.integers(1, 50))
async def test_gzip_is_read_in_pieces_of_any_size_and_in_several_members(one: bytes, two: bytes, size: int) -> None:
    assert await read(*cut(gzip.compress(one) + gzip.compress(two), size), gzipped=True) == one + two


async def test_a_body_of_many_members_costs_no_more_than_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left of a body is not copied for each member: 380,000 empty ones, of 20 bytes each, took minutes."""
    handed = 0

    class Counting:
        def __init__(self, wbits: int) -> None:
            self._member = decompressobj(wbits)

        def decompress(self, data: bytes, longest: int) -> bytes:
            nonlocal handed
            handed += len(data)
            return self._member.decompress(data, longest)

        def __getattr__(self, name: str) -> object:
            return getattr(self._member, name)

    decompressobj = zlib.decompressobj
    monkeypatch.setattr("ingest_api.http.request.inflate.zlib.decompressobj", Counting)
    members, limits = 20_000, BodyLimits(10**6, 10**6, 60)
    assert await read(gzip.compress(b"") * members + gzip.compress(b"x"), gzipped=True, limits=limits) == b"x"
    assert handed < members * 20_000


async def test_a_body_may_decompress_to_the_limit_and_one_byte_more_is_refused() -> None:
    assert len(await read(gzip.compress(b"x" * 3000), gzipped=True)) == 3000
    assert await refusal_of(gzip.compress(b"x" * 3001), gzipped=True) == (413, "body_too_large_decompressed")
    members = gzip.compress(b"x" * 2000) + gzip.compress(b"x" * 1001)
    assert await refusal_of(members, gzipped=True) == (413, "body_too_large_decompressed")


async def test_while_a_large_body_is_decompressed_others_have_their_turn() -> None:
    turns = Turns()
    await read(gzip.compress(bytes(3_000_000)), gzipped=True, limits=BodyLimits(10**6, 10**7, 60))
    assert turns.taken() > 10


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
async def test_a_body_that_grows_a_thousandfold_is_read_to_its_last_byte(size: int) -> None:
    compressed = gzip.compress(bytes(3_000_000))
    body = await read(*cut(compressed, size), gzipped=True, limits=BodyLimits(10**6, 10**7, 60))
    assert body == bytes(3_000_000)


async def test_the_compressed_bytes_have_their_own_limit() -> None:
    incompressible = gzip.compress(bytes(range(256)) * 4, compresslevel=0)
    assert await refusal_of(incompressible, gzipped=True) == (413, "body_too_large")


async def test_a_zip_bomb_takes_no_more_memory_than_the_limits_allow() -> None:
    bomb = gzip.compress(bytes(200_000_000))
    tracemalloc.start()
    refusal = await refusal_of(bomb, gzipped=True, limits=BodyLimits(10**6, 10**6, 60))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refusal == (413, "body_too_large_decompressed")
    assert peak < 5_000_000


@pytest.mark.parametrize("size", [1, 2, 100])
async def test_gzip_is_known_by_its_first_bytes_though_no_header_says_so(size: int) -> None:
    assert await read(*cut(gzip.compress(b"hello"), size)) == b"hello"
    assert await refusal_of(gzip.compress(b"x" * 3001)) == (413, "body_too_large_decompressed")
    assert await refusal_of(gzip.compress(b"hello")[:-1]) == (400, "gzip_cut_off")


async def test_an_empty_body_is_empty_whatever_its_header_says() -> None:
    assert await read(b"", gzipped=True) == b""


@pytest.mark.parametrize("size", range(1, len(gzip.compress(b"hello"))))
async def test_gzip_that_is_cut_off_anywhere_is_refused(size: int) -> None:
    assert await refusal_of(gzip.compress(b"hello")[:size], gzipped=True) == (400, "gzip_cut_off")


@pytest.mark.parametrize("damage", [b"plain text", b"\x1f\x8b\x08\x00garbage....", gzip.compress(b"a") + b"trailing"])
async def test_what_is_no_gzip_is_refused(damage: bytes) -> None:
    assert await refusal_of(damage, gzipped=True) == (400, "gzip_malformed")


async def test_gzip_whose_checksum_is_wrong_is_refused() -> None:
    whole = bytearray(gzip.compress(b"hello"))
    whole[-5] ^= 1
    assert await refusal_of(bytes(whole), gzipped=True) == (400, "gzip_malformed")


async def test_a_client_that_leaves_in_the_middle_has_sent_no_body() -> None:
    async def leaving() -> AsyncIterator[bytes]:
        yield b"x"
        raise ClientDisconnect

    with MemoryBudget(10**9, "bodies").reservation() as reservation, pytest.raises(RequestRefused) as refused:
        await receive_body(leaving(), limits=LIMITS, reservation=reservation)
    assert refused.value.code == "body_cut_off"


async def test_a_body_that_does_not_come_in_time_is_refused_and_its_connection_is_not_used_again() -> None:
    async def hanging() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    with MemoryBudget(10**9, "bodies").reservation() as reservation, pytest.raises(RequestRefused) as refused:
        await receive_body(hanging(), limits=LIMITS._replace(seconds=0.001), reservation=reservation)
    assert (refused.value.status, refused.value.code) == (408, "body_too_slow")
    assert refused.value.headers == {"Connection": "close"}


async def test_a_body_that_finds_no_memory_is_not_read_and_what_it_took_is_given_back() -> None:
    budget = MemoryBudget(900, "bodies")
    with pytest.raises(NotPublished):
        await read(b"x" * 600, b"x" * 301, budget=budget)
    assert budget.used == 0
    assert await read(b"x" * 900, budget=budget) == b"x" * 900


@pytest.mark.parametrize("announced", ["1001", "9" * 100])
def test_a_body_that_announces_too_much_is_refused_unread(announced: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        refuse_announced(announced, LIMITS)
    assert refused.value.status == 413


@pytest.mark.parametrize("announced", [None, "0", "1000"])
def test_a_body_that_announces_less_or_nothing_is_read(announced: str | None) -> None:
    refuse_announced(announced, LIMITS)
