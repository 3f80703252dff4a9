"""The dashboards as Grafana reads them."""

from collections.abc import Mapping

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.dashboards.ingest import ingest
from deploy.dashboards.overview import overview
from deploy.dashboards.workers import workers


def texts() -> Mapping[str, str]:
    """By the name of the file."""
    made = {"overview": overview(), "ingest": ingest(), "workers": workers()}
    return {
        f"{name}.json": JSONEncoder(sort_keys=True, indent=2).encode(board.build()) + "\n"
        for name, board in made.items()
    }
