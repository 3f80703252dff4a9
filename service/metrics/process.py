"""What every process of ours measures of itself: resources, the build, and whether it can do its job."""

from importlib.metadata import version
from typing import Final

from prometheus_client import GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.registry import CollectorRegistry

from service.metrics.listed import Kind, Metric, MetricList

_DISTRIBUTION: Final = "user-actions-collector"
_GENERATION: Final = {"generation": "of Python's garbage collector: 0 is the youngest"}

_OF_PROCESS: Final = (
    Metric("process_cpu_seconds_total", Kind.COUNTER, "CPU time, of the user and of the system.", {}),
    Metric("process_resident_memory_bytes", Kind.GAUGE, "Memory that lies in RAM.", {}),
    Metric("process_virtual_memory_bytes", Kind.GAUGE, "Address space.", {}),
    Metric("process_start_time_seconds", Kind.GAUGE, "When the process started, since the epoch.", {}),
    Metric("process_open_fds", Kind.GAUGE, "Open file descriptors.", {}),
    Metric("process_max_fds", Kind.GAUGE, "How many of them the system allows.", {}),
)
_OF_PYTHON: Final = (
    Metric("python_gc_objects_collected_total", Kind.COUNTER, "Objects found in cycles and freed.", _GENERATION),
    Metric("python_gc_objects_uncollectable_total", Kind.COUNTER, "Objects that could not be freed.", _GENERATION),
    Metric("python_gc_collections_total", Kind.COUNTER, "Searches for cycles.", _GENERATION),
    Metric(
        "python_info",
        Kind.GAUGE,
        "1, with Python's version.",
        dict.fromkeys(("implementation", "major", "minor", "patchlevel", "version"), "of Python"),
    ),
)


class ProcessMetrics:
    """On a process' own list. `ready` and `dependency_up` are as of the last look at /metrics, which asks anew."""

    def __init__(self, listed: MetricList, *dependencies: str) -> None:
        """`dependencies`: what the process needs, of `kafka` and `store`."""
        listed.collected(_OF_PROCESS, _process)
        listed.collected(_OF_PYTHON, GCCollector, _platform)
        build = listed.gauge("collector_build_info", "1, with the collector's version.", version="of the collector")
        build.labels(version(_DISTRIBUTION)).set(1)
        self.ready = listed.gauge("collector_ready", "1: the process can do its job, as /readyz says; 0: it cannot.")
        self.dependency_up = listed.gauge(
            "collector_dependency_up",
            "1: the process can use what it depends on; 0: it cannot.",
            dependency=dependencies,
        )


def _process(registry: CollectorRegistry) -> ProcessCollector:
    return ProcessCollector(registry=registry)


def _platform(registry: CollectorRegistry) -> PlatformCollector:
    return PlatformCollector(registry=registry)
