"""The services as processes on a topic and a store of their own."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from deploy.local.services.ports import free_port
from deploy.local.services.python_service import PythonService
from support.product.environment import environment_of
from support.stores.environment import AnySettings

_DEFAULTS: Final[Mapping[str, str]] = MappingProxyType({})


class Pipeline:
    """One ingest API, one aggregator, and as many workers as a test starts."""

    def __init__(
        self,
        folder: Path,
        bootstrap: str,
        topic: str,
        rejected_topic: str,
        store: AnySettings,
        *,
        settings_by_module: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    ) -> None:
        """`settings_by_module`: what a service has other than all."""
        self._settings_by_module = settings_by_module
        self._folder = folder
        self.bootstrap = bootstrap
        self.topic = topic
        self.environment = {
            **environment_of(bootstrap, topic, rejected_topic, store),
            # A slow machine is no outage.
            "COLLECTOR_INGEST_DELIVERY_TIMEOUT": "PT50S",
            "COLLECTOR_INGEST_DRAIN_TIMEOUT": "PT65S",
            "COLLECTOR_AGGREGATOR_KAFKA_TIMEOUT": "PT30S",
            "COLLECTOR_AGGREGATOR_PROBE_TIMEOUT": "PT30S",
        }
        self._services: list[PythonService] = []
        self.ingest = self.start("ingest_api")
        self.aggregator = self.start("aggregator")

    @property
    def ingest_url(self) -> str:
        return f"http://127.0.0.1:{self.ingest.port}"

    @property
    def aggregator_url(self) -> str:
        return f"http://127.0.0.1:{self.aggregator.port}"

    def start(self, module: str, settings: Mapping[str, str] = _DEFAULTS) -> PythonService:
        name = f"{module}-{len(self._services) + 1}"
        environment = {**self.environment, **self._settings_by_module.get(module, {}), **settings}
        service = PythonService(name, free_port(), self._folder / f"{name}.log", module, environment)
        service.start()
        self._services.append(service)
        return service

    def start_worker(self) -> PythonService:
        return self.start("stream_workers")

    def wait_until_ready(self) -> None:
        for service in self._services:
            if service.process is not None and service.process.is_alive():
                service.wait_until_ready()

    def close(self) -> None:
        for service in self._services:
            if service.process is not None and service.process.is_alive():
                service.kill()
