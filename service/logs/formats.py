"""The two forms of a log line."""

import logging
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

from service.logs.request_id import request_id

LogFormat = Literal["text", "json"]

FIELDS: Final = ("partition", "offset")
"""What code that knows them says about a line, by `extra`."""


class TextFormat(logging.Formatter):
    """One line for people; a traceback follows on lines of its own."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the standard library's name
        """The line, and the request's id where there is one."""
        line, request = super().formatMessage(record), request_id.get()
        return f"{line} request_id={request}" if request else line


class JsonFormat(logging.Formatter):
    """One JSON object a line, tracebacks included: time (ISO 8601, UTC), level, logger, message, and what is known."""

    def format(self, record: logging.LogRecord) -> str:
        """The object."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request := request_id.get():
            line["request_id"] = request
        line |= {name: value for name in FIELDS if (value := getattr(record, name, None)) is not None}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def formatter(form: LogFormat) -> logging.Formatter:
    """The one that a setting names."""
    return JsonFormat() if form == "json" else TextFormat()
