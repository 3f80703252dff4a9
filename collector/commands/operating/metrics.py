"""`collector metrics`: every metric of the services, with its meaning."""

from collections.abc import Iterator, Mapping
from typing import Final

import typer

from aggregator.metrics import Metrics as AggregatorMetrics
from aggregator.rollup.metrics import RollupMetrics
from ingest_api.metrics import Metrics as IngestMetrics
from service.metrics.listed import Label, Metric
from stream_workers.metrics import LISTED

METRICS: Final[Mapping[str, list[Metric]]] = {
    "ingest_api": IngestMetrics().listed.metrics,
    "stream_workers": LISTED.metrics,
    "aggregator": AggregatorMetrics().listed.metrics,
    "aggregator.rollup": RollupMetrics().listed.metrics,
}
"""By service, as settings are."""


def as_markdown() -> Iterator[str]:
    """The lines of a table for each service, those first that several have."""
    services: dict[str, list[str]] = {}
    for service, metrics in METRICS.items():
        for metric in metrics:
            services.setdefault(metric.name, []).append(service)
    known = {metric.name: metric for metrics in METRICS.values() for metric in metrics}
    for of in sorted({tuple(of) for of in services.values()}, key=lambda of: (-len(of), list(METRICS).index(of[0]))):
        yield ""
        yield f"## {', '.join(f'`{service}`' for service in of)}"
        yield ""
        yield "| metric | type | unit | labels | meaning |"
        yield "| --- | --- | --- | --- | --- |"
        for name in (name for name, found in services.items() if tuple(found) == of):
            metric = known[name]
            labels = "; ".join(_label(label, says) for label, says in metric.labels.items())
            yield f"| `{name}` | {metric.kind} | {metric.unit} | {labels} | {metric.meaning} |"


def _label(name: str, says: Label) -> str:
    return f"`{name}`: {says if isinstance(says, str) else ', '.join(f'`{value}`' for value in says)}"


def metrics() -> None:
    """Shows every metric of the services, with its type, unit, labels and meaning."""
    for line in as_markdown():
        typer.echo(line)
