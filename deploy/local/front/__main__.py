"""`python -m deploy.local.front`: the door of the local stack."""

import logging
import signal
import sys

import uvicorn

from deploy.local.data_folder import DataFolder
from deploy.local.front.app import create_app
from deploy.local.front.settings import FrontSettings
from deploy.local.front.upstreams import Upstreams

_DRAIN_SECONDS = 30


def main() -> None:
    """Serves until SIGTERM or SIGINT; then answers what is in flight. Exit code 0."""
    # The server finishes cleanly on a signal, then raises it again: this turns it into a clean exit.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    settings = FrontSettings()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells each request
    app = create_app(Upstreams(DataFolder(settings.local_data).state))
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        date_header=False,  # the service that answers has set these two
        server_header=False,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )


if __name__ == "__main__":
    main()
