import secrets
from pathlib import Path

import pytest

from contract.log.progress import LogPartition, Progress
from contract.store import ProgressPoint
from deploy.local.services.ports import free_port
from stores.influx.settings import InfluxSettings
from stores.influx.setup import create_buckets
from stores.influx.store import InfluxStore
from support.services.influxdb2 import ORG, InfluxDB2

SOURCE = LogPartition("OldrkDJ2R4WmwCUXOqKyRw", 3)


@pytest.mark.influx2
async def test_what_influxdb_2_7_acknowledged_survives_its_kill_and_so_does_its_token(
    influx2_server: InfluxDB2, tmp_path: Path
) -> None:
    program, port, token = influx2_server.program, free_port(), secrets.token_urlsafe(16)
    settings = InfluxSettings(influx_url=f"http://127.0.0.1:{port}", influx_token=token, influx_org=ORG)
    store = InfluxStore(settings, lambda: 0)
    first = InfluxDB2(program, tmp_path, port, token)
    first.start()
    try:
        first.wait_until_ready()
        await create_buckets(settings)
        await store.write_progress([ProgressPoint(SOURCE, 7, Progress(5))])
    finally:
        first.kill()
    with InfluxDB2(program, tmp_path, port, "the token of the first start stays"):
        assert await store.read_progress() == {SOURCE: Progress(5)}
    await store.close()
