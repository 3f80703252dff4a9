"""What all dashboards are made of: one look for numbers, one for lines."""

from collections.abc import Mapping, Sequence
from typing import Final

from grafana_foundation_sdk.builders import common, stat, timeseries
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
)

SOURCE: Final = DataSourceRef(type_val="prometheus", uid="collector-prometheus")
"""As deploy/grafana/provisioning names it."""
RATE: Final = "[$__rate_interval]"

SECONDS: Final = "s"
BYTES: Final = "bytes"
PERCENT: Final = "percentunit"
PER_SECOND: Final = "ops"
NUMBER: Final = "short"


def new_dashboard(uid: str, title: str, description: str) -> builders.Dashboard:
    """An empty one, of the last hour."""
    return (
        builders.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["collector"])
        .timezone("utc")
        .refresh("10s")
        .time("now-1h", "now")
        .tooltip(DashboardCursorSync.CROSSHAIR)
    )


def number(
    title: str, expression: str, unit: str, description: str, *, bad_from: float | None = None, span: int = 4
) -> stat.Panel:
    """One number; red from `bad_from` on."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .span(span)
        .height(4)
        .graph_mode(looks.BigValueGraphMode.AREA)
        .color_mode(looks.BigValueColorMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .with_target(_query("A", expression, ""))
    )
    steps = [Threshold(value=None, color="green")]
    if bad_from is not None:
        steps.append(Threshold(value=bad_from, color="red"))
    return panel.thresholds(builders.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))


def lines(
    title: str, expressions: Mapping[str, str], unit: str, description: str, *, span: int = 12
) -> timeseries.Panel:
    """Lines over time: expressions by their legend."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .span(span)
        .height(8)
        .fill_opacity(8)
        .show_points(looks.VisibilityMode.NEVER)
        .tooltip(common.VizTooltipOptions().mode(looks.TooltipDisplayMode.MULTI).sort(looks.SortOrder.DESCENDING))
    )
    for letter, (legend, expression) in zip("ABCDEFGH", expressions.items(), strict=False):
        panel = panel.with_target(_query(letter, expression, legend))
    return panel


def percentiles(histogram: str, by: Sequence[str] = ()) -> Mapping[str, str]:
    """Half, nearly all and all but a hundredth of what a histogram counts."""
    labels = ", ".join(["le", *by])
    names = " ".join(f"{{{{{label}}}}}" for label in by)
    return {
        f"{names} p{round(quantile * 100)}".strip(): (
            f"histogram_quantile({quantile}, sum by ({labels}) (rate({histogram}_bucket{RATE})))"
        )
        for quantile in (0.5, 0.95, 0.99)
    }


def _query(letter: str, expression: str, legend: str) -> Dataquery:
    return Dataquery().ref_id(letter).datasource(SOURCE).expr(expression).legend_format(legend)
