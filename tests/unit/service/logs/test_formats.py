"""What a log line looks like."""

import json
import logging
import sys
from collections.abc import Iterator
from datetime import datetime

import pytest

from service.logs.formats import LogFormat, formatter
from service.logs.request_id import request_id


@pytest.fixture
def _in_a_request() -> Iterator[None]:
    token = request_id.set("abc-1")
    yield
    request_id.reset(token)


def record(**known: object) -> logging.LogRecord:
    made = logging.LogRecord("stream_workers.partition", logging.ERROR, "f.py", 1, "lost: %s", ('"a"\nb',), None)
    made.created = 1_795_510_923.456
    vars(made).update(known)
    return made


def told(form: LogFormat, one: logging.LogRecord) -> str:
    return formatter(form).format(one)


def test_a_line_of_json_is_one_object_with_its_time_in_utc() -> None:
    text = told("json", record())
    assert "\n" not in text
    line = json.loads(text)
    assert line == {
        "time": "2026-11-24T09:02:03.456Z",
        "level": "ERROR",
        "logger": "stream_workers.partition",
        "message": 'lost: "a"\nb',
    }
    assert datetime.fromisoformat(line["time"]).timestamp() == record().created


@pytest.mark.usefixtures("_in_a_request")
def test_what_is_known_of_a_line_is_a_field_of_its_own() -> None:
    line = json.loads(told("json", record(partition=3, offset=0)))
    assert (line["partition"], line["offset"], line["request_id"]) == (3, 0, "abc-1")
    assert told("text", record()).endswith(" request_id=abc-1")


def test_a_line_outside_of_a_request_names_none() -> None:
    assert "request_id" not in told("text", record()) + told("json", record())


def test_a_traceback_is_a_field_of_its_line() -> None:
    try:
        int("why")
    except ValueError:
        text = told("json", record(exc_info=sys.exc_info()))
    assert "\n" not in text
    assert "ValueError: invalid literal" in json.loads(text)["error"]
