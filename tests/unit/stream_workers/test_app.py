"""The settings that Faust must get, for the worker's promises to hold."""

from datetime import timedelta

import pytest
from mode import CrashingSupervisor

from stores.memory import MemoryStore
from stream_workers.app import build_app
from stream_workers.settings import WorkerSettings

NOBODY = "127.0.0.1:1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("consumer_auto_offset_reset", "none"),
        ("broker_max_poll_interval", 86_400.0),
        ("stream_wait_empty", False),
        ("stream_buffer_maxsize", 7),
        ("broker_max_poll_records", 7),
        ("broker_session_timeout", 12.0),
        ("broker_heartbeat_interval", 2.4),
        ("consumer_metadata_max_age_ms", 5_000),
        ("topic_allow_declare", False),
        ("topic_disable_leader", True),
        ("table_standby_replicas", 0),
        ("web_port", 8_999),
        ("worker_redirect_stdouts", False),
    ],
)
def test_faust_is_told(name: str, value: object) -> None:
    app = build_app(
        WorkerSettings(
            kafka_bootstrap=NOBODY, port=8_999, worker_buffered_records=7, worker_session_timeout=timedelta(seconds=12)
        ),
        MemoryStore(),
    ).app
    assert getattr(app.conf, name) == value


def test_the_agent_acknowledges_nothing_by_itself_and_stops_the_worker_when_it_fails() -> None:
    app = build_app(WorkerSettings(kafka_bootstrap=NOBODY, topic="some-actions"), MemoryStore()).app
    (agent,) = app.agents.values()
    assert agent.channel.get_topic_name() == "some-actions"
    assert not agent.channel.acks
    assert agent.concurrency == 1
    assert agent.supervisor_strategy is CrashingSupervisor


def test_every_broker_that_is_named_is_told() -> None:
    app = build_app(WorkerSettings(kafka_bootstrap="127.0.0.1:1, 127.0.0.1:2"), MemoryStore()).app
    assert [url.port for url in app.conf.broker] == [1, 2]
