"""Requests to InfluxDB through influxdb-client's connections."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import aiohttp
import msgspec
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.rest import ApiException

from contract.errors import StoreUnavailable
from stores.influx.response import Series, decode_answer, stream_answer
from stores.influx.schema import Bucket
from stores.influx.settings import InfluxSettings

_FORM: Final = "application/x-www-form-urlencoded"
_OK: Final = 200
_LONG_QUERY: Final = 4_000
"""Characters above which proxies may refuse an address."""
_MAX_SHOWN: Final = 1_000
STREAMED_ROWS: Final = 1_000
"""Of windows a quarter of a MB, read in some milliseconds: then others have their turn."""


class Answer(NamedTuple):
    """Status and text of an answer; the text of an error is taken out of its JSON."""

    status: int
    text: str


class InfluxConnection:
    """A pool of connections. It opens with the first request, and belongs to that request's event loop."""

    def __init__(self, settings: InfluxSettings) -> None:
        """Opens nothing."""
        self._settings = settings
        self._opened: Any = None  # half of InfluxDBClientAsync's methods have no types

    async def write(self, bucket: Bucket, body: bytes) -> Answer | None:
        """None when InfluxDB has acknowledged all lines of `body`; else its answer, whatever it says.

        Raises StoreUnavailable where there is no answer.
        """
        try:
            written = await self._client.write_api().write(bucket.name, record=body)
        except ApiException as error:
            return Answer(error.status, _error_text(error.body))
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise _unanswered(error) from error
        return None if written else Answer(_OK, "an answer that promises nothing")

    async def query(self, bucket: Bucket | None, *statements: str) -> list[list[Series]]:
        """Each InfluxQL statement's series. Without a bucket they may change databases. Raises StoreUnavailable.

        InfluxQL and not Flux: 1.8 and 2.x understand it, and it is about five times as fast. Reads go by GET, unless
        they are long: a GET is sent once more if the server had closed the pooled connection, e.g. at a new start.
        """
        query = _scope(bucket)
        text = ("q", "; ".join(statements))
        if bucket is None or len(text[1]) > _LONG_QUERY:
            body = await self.request("POST", "/query", query=query, form=[text])
        else:
            body = await self.request("GET", "/query", query=[*query, text])
        return decode_answer(body, len(statements))

    async def stream(
        self, bucket: Bucket, statement: str, rows: int = STREAMED_ROWS
    ) -> AsyncGenerator[list[Series], None]:
        """One statement's series as they come, so many rows at a time. Raises StoreUnavailable."""
        query = [*_scope(bucket), ("chunk_size", str(rows)), ("q", statement)]
        try:
            async with self._answer("GET", "/query", query) as response:
                async for series in stream_answer(response.content.iter_any()):
                    yield series
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise _unanswered(error) from error

    async def request(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]] = (),
        form: Sequence[tuple[str, str]] = (),
        json: object = None,
    ) -> bytes:
        """The body of a successful answer. Raises StoreUnavailable for any other."""
        try:
            async with self._answer(method, path, query, form, json) as response:
                body: bytes = await response.read()
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise _unanswered(error) from error
        return body

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]],
        form: Sequence[tuple[str, str]] = (),
        json: object = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A successful answer whose body is not read yet. Raises StoreUnavailable, and what aiohttp raises."""
        headers = {
            "Content-Type": _FORM if form else "application/json",
            "Accept": "application/json",
            "Cache-Control": "no-store",
        }
        response = await self._client.api_client.call_api(
            path,
            method,
            query_params=[*query],
            header_params=headers,
            post_params=[*form],
            body=json,
            _preload_content=False,
        )
        async with response:
            if response.status // 100 != _OK // 100:
                raise unavailable(Answer(response.status, _error_text(await response.read())), f"{method} {path}")
            yield response

    async def close(self) -> None:
        """Closes the connections; a later request opens new ones."""
        if self._opened is not None:
            client, self._opened = self._client, None
            await client.close()

    @property
    def _client(self) -> Any:  # noqa: ANN401 - as above
        if self._opened is None:
            settings = self._settings
            timeout = aiohttp.ClientTimeout(
                total=settings.influx_timeout.total_seconds(),
                sock_connect=settings.influx_connect_timeout.total_seconds(),
            )
            client: Any = InfluxDBClientAsync(
                str(settings.influx_url).rstrip("/"),
                token=settings.influx_token.get_secret_value(),
                org=settings.influx_org,
                timeout=timeout,
                enable_gzip=settings.influx_gzip,
                connection_pool_maxsize=settings.influx_connections,
                # A redirected POST would arrive as a GET, and its 200 would look like success.
                allow_redirects=False,
            )
            if not settings.influx_gzip:
                client.api_client.set_default_header("Accept-Encoding", "identity")
            self._opened = client
        return self._opened


def _scope(bucket: Bucket | None) -> list[tuple[str, str]]:
    scope = [] if bucket is None else [("db", bucket.database), ("rp", bucket.policy)]
    return [*scope, ("epoch", "ns"), ("chunked", "true")]


_REASONS: Final = {401: "unauthorized", 403: "forbidden", 404: "not_found", 429: "overloaded"}


def unavailable(answer: Answer, what: str) -> StoreUnavailable:
    """The error for an answer that is no success, and that another try may turn into one."""
    status = answer.status
    reason = _REASONS.get(status) or ("server_error" if status >= 500 else "refused")  # noqa: PLR2004 - 5xx
    return StoreUnavailable(f"{what}: {status} {answer.text[:_MAX_SHOWN]}", reason=reason)


def _unanswered(error: Exception) -> StoreUnavailable:
    # Some errors have no text, among them asyncio's timeouts.
    if isinstance(error, TimeoutError):
        reason, told = "timeout", "it took too long"
    elif isinstance(error, aiohttp.ClientConnectorError):
        reason, told = "connect", "no connection"
    else:
        reason, told = "cut", "the connection ended"
    return StoreUnavailable(f"no answer: {str(error) or told}", reason=reason)


class _Error(msgspec.Struct):
    error: str | None = None
    message: str | None = None


def _error_text(body: bytes | None) -> str:
    try:
        found = msgspec.json.decode(body or b"", type=_Error)
    except msgspec.DecodeError:
        return (body or b"")[:_MAX_SHOWN].decode(errors="replace")
    return found.error or found.message or ""
