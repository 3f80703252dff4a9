"""`collector setup`."""

from collector.options import report
from deploy.local.artifacts import set_up


def setup() -> None:
    """Fetches and builds what `collector up` runs on, into $COLLECTOR_CACHE or ~/.cache/user-actions-collector.

    What is there is kept; an interrupted set-up goes on where it stopped.
    """
    set_up(report())
