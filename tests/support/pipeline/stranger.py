"""Somebody who queries InfluxDB as its manual says, with an address, a token, and no code of ours."""

import csv
from typing import Final

import httpx

from contract.hour import format_hour
from stores.influx.schema import Bucket
from stores.influx.settings import InfluxSettings

COLUMNS: Final = ("clicks", "impressions", "unique_users", "actions", "count_sign_up")
Point = tuple[int, ...]


class Stranger:
    """Asks in InfluxQL and in Flux."""

    def __init__(self, influx: InfluxSettings) -> None:
        self._bucket = Bucket.named(influx.hourly_bucket)
        self._org = influx.influx_org
        token = influx.influx_token.get_secret_value()
        self._http = httpx.Client(
            base_url=str(influx.influx_url), headers={"Authorization": f"Token {token}"}, timeout=60
        )

    def influxql(self, query: str) -> list[list[int]]:
        """The rows, without their time."""
        scope = {"db": self._bucket.database, "rp": self._bucket.policy}
        answer = self._http.get("/query", params={**scope, "q": query}).raise_for_status().json()
        return [row[1:] for series in answer["results"][0].get("series", []) for row in series["values"]]

    def flux(self, query: str) -> list[dict[str, str]]:
        """The rows, by column; the bucket is called as by default."""
        headers = {"Content-Type": "application/vnd.flux", "Accept": "application/csv"}
        query = query.replace('"hourly/autogen"', f'"{self._bucket.name}"')
        answer = self._http.post("/api/v2/query", params={"org": self._org}, headers=headers, content=query)
        lines = answer.raise_for_status().text.strip().splitlines()
        return list(csv.DictReader(line for line in lines if not line.startswith("#")))

    def sums(self, first: int, end: int) -> tuple[Point, Point]:
        """The numbers of a span, as each of the two languages gives them."""
        start, stop = format_hour(first), format_hour(end)
        sums = ", ".join(f"SUM({name})" for name in COLUMNS)
        rows = self.influxql(f"SELECT {sums} FROM hours WHERE time >= '{start}' AND time < '{stop}'")
        fields = " or ".join(f'r._field == "{name}"' for name in COLUMNS)
        summed = self.flux(
            f'from(bucket: "hourly/autogen") |> range(start: {start}, stop: {stop})'
            f' |> filter(fn: (r) => r._measurement == "hours" and ({fields})) |> sum()'
        )
        by_field = {row["_field"]: int(row["_value"]) for row in summed}
        return tuple(value or 0 for row in rows for value in row), tuple(by_field.get(name, 0) for name in COLUMNS)

    def close(self) -> None:
        self._http.close()
