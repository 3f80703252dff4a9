"""What each of our processes does once, at its start: its log, and its garbage collector."""

import gc
import logging
from typing import Final

from service.logs.formats import formatter
from service.settings import ProcessSettings, ServiceSettings

logger = logging.getLogger(__name__)

_GARBAGE: Final = 50_000
"""So many more objects than before are alive when cycles among them are looked for."""


def configure_logging(settings: ProcessSettings) -> None:
    """Log lines on standard error, from the level in the settings on, in its form."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(settings.log_format))
    logging.basicConfig(level=settings.log_level, handlers=[handler])


def say_who_may(settings: ServiceSettings) -> None:
    """One log line at the start: whether requests need keys."""
    address = f"{settings.host}:{settings.port}"
    if settings.keys_file is not None:
        logger.info("requests to %s need a key of %s", address, settings.keys_file)
    else:
        logger.warning("there are no keys: whoever reaches %s may do everything", address)


def spare_garbage_collection() -> None:
    """To be called once all modules are imported: garbage is not searched for among them, and rarely among the rest.

    That search took a quarter of the CPU of single POSTs, and stopped every request, and every flush, for 50 ms; on a
    busy machine for up to 480.
    """
    gc.freeze()
    gc.set_threshold(_GARBAGE)
