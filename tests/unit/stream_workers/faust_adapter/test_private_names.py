"""Which of Faust's names the worker depends on: an upgrade that takes one away, or changes it, fails here.

The lists are compared with the code, so they cannot go stale: a name that is used and not listed fails, and so does one
that is listed and not used.
"""

import ast
import gc
import inspect
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from types import FunctionType

import aiokafka
import faust
import pytest
from aiokafka import client
from aiokafka.consumer import fetcher
from aiokafka.protocol.metadata import MetadataRequest
from faust.transport.drivers import aiokafka as driver
from faust.web.drivers import aiohttp as web_driver
from mode.utils.queues import ThrowableQueue

from stream_workers import faust_adapter
from stream_workers.faust_adapter import (
    app,
    bounded_queue,
    committed_reads,
    consumer,
    header_names,
    ordered_consumer,
    worker,
)

ROOM = Path(faust_adapter.__file__).parent
CODE = sorted(ROOM.parent.rglob("*.py"))
PINNED = ["faust-streaming", "mode-streaming", "aiokafka"]

PRIVATE: dict[str, dict[str, type]] = {
    "consumer.py": {"_ensure_consumer": driver.AIOKafkaConsumerThread, "_thread": driver.Consumer},
    "app.py": {
        "_consumer": faust.App,
        "_create_directories": faust.App,
        "_new_transport": faust.App,
        "_new_web": faust.App,
        "_runner": web_driver.Web,
    },
    "bounded_queue.py": {"_get": ThrowableQueue, "_put": ThrowableQueue},
    "committed_reads.py": {
        "_create_worker_consumer": driver.AIOKafkaConsumerThread,
        "_fetch_records": driver.AIOKafkaConsumerThread,
        "_seek_wait": driver.AIOKafkaConsumerThread,
        "_subscription": aiokafka.AIOKafkaConsumer,
        "_ensure_consumer": driver.AIOKafkaConsumerThread,
        "_isolation_level": aiokafka.AIOKafkaConsumer,
        "_client": aiokafka.AIOKafkaConsumer,
        "_request_timeout_ms": client.AIOKafkaClient,
    },
    "header_names.py": {"_records": fetcher.PartitionRecords, "_unpack_records": fetcher.PartitionRecords},
    "ordered_consumer.py": {
        "_getmany": driver.Consumer,
        "_new_consumer_thread": driver.Consumer,
        "_thread": driver.Consumer,
    },
    "worker.py": {"_consumer": faust.App},
}
"""Private names by the file that uses them, each with the class that has it."""

OVERRIDDEN: dict[type, dict[str, str]] = {
    committed_reads.CommittedReadsThread: {
        "_create_worker_consumer": "(self, transport)",
        "_fetch_records": "(self, consumer, active_partitions, timeout=None, max_records=None)",
        "_seek_wait": "(self, consumer, partitions)",
    },
    header_names.ReadableRecords: {"_unpack_records": "(self)"},
    ordered_consumer.OrderedConsumer: {
        "_getmany": "(self, active_partitions, timeout)",
        "_new_consumer_thread": "(self)",
        "getmany": "(self, timeout)",
        "on_buffer_full": "(self, tp)",
        "resume_flow": "(self)",
        "resume_partitions": "(self, tps)",
        "wait_first": "(self, *coros, timeout=None)",
    },
    consumer.Consumer: {
        "getmany": "(self, timeout)",
        "on_partitions_assigned": "(self, assigned, generation_id=0)",
        "on_partitions_revoked": "(self, revoked)",
        "perform_seek": "(self)",
    },
    app.Transport: {},
    app.Web: {"start_server": "(self)", "stop_server": "(self)"},
    app.App: {
        "FlowControlQueue": "(self, maxsize=None, *, clear_on_resume=False)",
        "_create_directories": "(self)",
        "_new_transport": "(self)",
        "_new_web": "(self)",
    },
    bounded_queue.BoundedQueue: {"_get": "(self)", "_put": "(self, item)", "clear": "(self)", "full": "(self)"},
    worker.DrainingWorker: {"on_stop": "(self)"},
}
"""Methods of Faust's classes that ours replace, with what Faust calls them with."""

CALLED: dict[type, dict[str, str]] = {
    driver.Consumer: {
        "assignment": "(self)",
        "crash": "(self, reason)",
        "earliest_offsets": "(self, *partitions)",
        "highwaters": "(self, *partitions)",
        "stop_flow": "(self)",
    },
    driver.AIOKafkaConsumerThread: {
        "_ensure_consumer": "(self)",
        "call_thread": "(self, fun, *args, **kwargs)",
        "seek_wait": "(self, partitions)",
    },
    aiokafka.AIOKafkaConsumer: {
        "assignment": "(self)",
        "commit": "(self, offsets=None)",
        "last_stable_offset": "(self, partition)",
    },
}
"""Methods that ours call, with their parameters."""


OURS = list(OVERRIDDEN)


@pytest.fixture(autouse=True)
def no_collection_while_parsing() -> Iterator[None]:
    """Python 3.11 makes a SystemError of a syntax tree in whose making a callback of the collector runs (gh-106905)."""
    gc.disable()
    yield
    gc.enable()


def tree_of(source: type) -> ast.Module:
    return ast.parse(inspect.getsource(source))


def set_on_self(tree: ast.AST) -> set[str]:
    """Attributes that some method gives its own object."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self"
    }


def private_names_of_others(file: Path) -> set[str]:
    """Names with one leading underscore that a file uses and does not make itself."""
    tree = ast.parse(file.read_text())
    used, made = set(), set_on_self(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) != "os._exit":  # it is documented, and not Faust's
            used.add(node.attr)
        elif isinstance(node, ast.alias):
            used |= {*node.name.split(".")}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            made.add(node.name)
    # A method that replaces one of Faust's is made here, and yet it is Faust's name.
    made -= {name for overridden in OVERRIDDEN.values() for name in overridden}
    replaced = {name for cls in OURS if Path(inspect.getfile(cls)) == file for name in OVERRIDDEN[cls]}
    return {name for name in (used - made) | replaced if re.match("_[^_]", name)}


def attributes_of(cls: type) -> set[str]:
    """What a class and its objects have, private names too."""
    found = set(dir(cls))
    for base in cls.__mro__[:-1]:
        found |= inspect.get_annotations(base).keys()
        found |= set_on_self(tree_of(base))
    return found


def parameters_of(cls: type, method: str) -> str:
    """A method's signature without its annotations."""
    signature = inspect.signature(getattr(cls, method))
    bare = [one.replace(annotation=inspect.Parameter.empty) for one in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def faust_base_of(cls: type) -> type:
    return cls.__mro__[1]


def test_the_files_that_are_listed_are_found() -> None:
    """A search that finds no files would let every check of each file pass."""
    assert {ROOM / name for name in PRIVATE} <= set(CODE)


@pytest.mark.parametrize("file", CODE, ids=lambda file: str(file.relative_to(ROOM.parent)))
def test_private_names_are_used_where_and_as_listed(file: Path) -> None:
    listed = PRIVATE.get(file.name, {}) if file.parent == ROOM else {}
    assert private_names_of_others(file) == listed.keys()


def test_only_the_adapter_imports_faust() -> None:
    assert {file.parent for file in CODE if imports_faust(file)} == {ROOM}


def imports_faust(file: Path) -> bool:
    return any(
        name.split(".")[0] in {"faust", "mode", "aiokafka"}
        for node in ast.walk(ast.parse(file.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    )


def test_every_listed_private_name_is_there() -> None:
    for names in PRIVATE.values():
        for name, owner in names.items():
            assert name in attributes_of(owner), f"{owner.__name__} has no {name}"


@pytest.mark.parametrize("cls", OURS)
def test_our_classes_replace_what_is_listed_and_nothing_else(cls: type) -> None:
    """An attribute of ours that Faust comes to use for something else would be replaced by mistake."""
    mine = {name for name, value in vars(cls).items() if isinstance(value, FunctionType | property)}
    mine |= set_on_self(tree_of(cls))
    assert (mine & attributes_of(faust_base_of(cls))) - {"__init__"} == OVERRIDDEN[cls].keys()


@pytest.mark.parametrize("cls", OURS)
def test_what_is_replaced_is_called_as_listed(cls: type) -> None:
    expected = OVERRIDDEN[cls]
    assert {name: parameters_of(faust_base_of(cls), name) for name in expected} == expected
    assert {name: parameters_of(cls, name) for name in expected} == expected


@pytest.mark.parametrize("cls", CALLED)
def test_what_is_called_takes_what_is_listed(cls: type) -> None:
    assert {name: parameters_of(cls, name) for name in CALLED[cls]} == CALLED[cls]


def test_every_listed_call_is_made() -> None:
    assert {name for names in CALLED.values() for name in names} <= {node.attr for node in attributes_used()}


def test_every_call_to_fausts_thread_is_listed() -> None:
    called = {node.attr for node in attributes_used() if ast.unparse(node.value) == "self._thread"}
    ours = {"holes", "stable_ends"}
    assert called - ours == CALLED[driver.AIOKafkaConsumerThread].keys()


def test_faust_hands_each_record_over_beside_one_wait() -> None:
    """Else our short cut would be taken for something else."""
    faust_source = inspect.getsource(driver.Consumer._drain_messages)  # noqa: SLF001 # we depend on this source
    assert re.search(r"wait_first\(\s*callback\(message\), self.suspend_flow.wait\(\)\s*\)", faust_source)
    assert faust_source.count("wait_first") == 1


def attributes_used() -> list[ast.Attribute]:
    """Of the files that may use private names."""
    trees = [ast.parse((ROOM / file).read_text()) for file in PRIVATE]
    return [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)]


@pytest.mark.parametrize("package", PINNED)
def test_the_three_are_pinned_to_what_is_installed(package: str) -> None:
    project = tomllib.loads((ROOM.parents[1] / "pyproject.toml").read_text())["project"]
    (pin,) = [one for one in project["dependencies"] if re.match(rf"{package}\b(?!-)", one)]
    assert pin == f"{package}=={version(package)}"


def test_aiokafka_asks_for_metadata_by_the_name_that_is_replaced() -> None:
    """Else a worker's questions would create its topic again, on brokers with Kafka's defaults."""
    asks = inspect.getsource(client.AIOKafkaClient._metadata_update)  # noqa: SLF001 # we depend on this source
    assert "MetadataRequest(list(topics) if topics else None)" in asks
    assert parameters_of(MetadataRequest, "__init__") == "(self, topics=None, allow_auto_topic_creation=None)"


def test_aiokafkas_fetcher_takes_its_records_by_the_names_that_are_replaced() -> None:
    """Else a record with a header whose name is no UTF-8 would stop all workers again."""
    takes = inspect.getsource(fetcher.Fetcher._proc_fetch_request)  # noqa: SLF001 # we depend on this source
    assert "records = MemoryRecords(part_data[-1])" in takes
    assert "partition_records = PartitionRecords(" in takes
    assert inspect.getsource(faust_base_of(header_names.ReadableRecords)).count("self._records\n") == 1
    used = {"has_next", "next_batch", "size_in_bytes"}
    assert set(re.findall(r"\brecords\.(\w+)", inspect.getsource(fetcher))) <= used
