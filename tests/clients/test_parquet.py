"""`collector raw --format parquet`, as read by what people read Parquet with."""

import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract.hour import HOUR_MS, format_hour, hour_of
from stores.influx.settings import InfluxSettings
from support.builds.clients import python_packages
from support.clients.product import Product
from support.pipeline.collector_program import COLLECTOR
from support.stores.environment import environment_of_store

pytestmark = pytest.mark.clients

Row = tuple[int, str, str, str | None]


def rows_by_duckdb(file: Path) -> list[Row]:
    import duckdb  # noqa: PLC0415 - one of tests/clients/requirements.in

    columns = "epoch_ms(timestamp), user, event, id"
    return duckdb.execute(f"SELECT {columns} FROM read_parquet(?)", [str(file)]).fetchall()


def rows_by_pandas(file: Path) -> list[Row]:
    import pandas as pd  # noqa: PLC0415 - likewise

    table = pd.read_parquet(file).astype(object)
    times = [round(one.timestamp() * 1_000) for one in table["timestamp"]]
    ids = table["id"].where(table["id"].notna(), None)
    return list(zip(times, table["user"], table["event"], ids, strict=True))


def rows_by_polars(file: Path) -> list[Row]:
    import polars as pl  # noqa: PLC0415 - likewise

    return pl.read_parquet(file).with_columns(pl.col("timestamp").dt.epoch("ms")).rows()


@pytest.mark.parametrize("rows", [rows_by_duckdb, rows_by_pandas, rows_by_polars])
async def test_an_hour_s_raw_actions_are_read_as_they_were_sent(
    product: Product,
    influx1: InfluxSettings,
    http: httpx.AsyncClient,
    tmp_path: Path,
    rows: Callable[[Path], list[Row]],
) -> None:
    hour = hour_of(time.time_ns() // 1_000_000) - HOUR_MS
    odd = 'quo"te, \\ Zoë 🦊'
    sent: list[dict[str, Any]] = [
        {"timestamp": hour + index % 1_000, "user": f"{odd}{index % 7}", "event": ("click", "impression")[index % 2]}
        | ({"id": f"i,{index}"} if index % 3 else {})
        for index in range(3_000)
    ]
    all_sent = [*sent, {**sent[0], "timestamp": hour - 1}]
    answer = await http.post(f"{product.url}/v1/actions", json=all_sent)
    assert answer.json()["rejected"] == []
    assert await product.differences(all_sent) == {}

    file = tmp_path / "hour.parquet"
    # Of all that clients bring, the program gets pyarrow only.
    extra = tmp_path / "extra"
    extra.mkdir()
    (extra / "pyarrow").symlink_to(python_packages() / "pyarrow")
    environment = {**os.environ, **environment_of_store(influx1), "PYTHONPATH": str(extra)}
    raw = [*COLLECTOR, "raw", "--hour", format_hour(hour), "--format", "parquet"]
    with file.open("wb") as output:
        ended = subprocess.run(raw, env=environment, stdout=output, stderr=subprocess.PIPE, check=False)  # noqa: ASYNC221 - nothing else runs here

    assert (ended.returncode, ended.stderr.decode()) == (0, "")
    assert Counter(rows(file)) == Counter((one["timestamp"], one["user"], one["event"], one.get("id")) for one in sent)
