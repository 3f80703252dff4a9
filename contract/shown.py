"""Values as messages show them: as JSON writes them, on one line, cut."""

import json
import re
from typing import Final

MAX_SHOWN: Final = 64
"""So many characters of a value are shown."""

_CUT: Final = "…"
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, default=str)
_NOT_ASCII: Final = re.compile(r"[^ -~]")


def shown(value: object) -> str:
    """`"text"`, `null`, `{"a": 1}`; bytes are what somebody wrote: they are shown as they are, without quotes."""
    if isinstance(value, bytes):
        return shown_text(value[: MAX_SHOWN + 1].decode(errors="replace")) or '""'
    text = value[: MAX_SHOWN + 1] if isinstance(value, str) else value
    return shown_text(_beginning(text))


def _beginning(value: object) -> str:
    """At least as much as is shown. To write the whole of it would recurse as deep as it is nested."""
    text = ""
    for piece in _ENCODER.iterencode(value):
        text += piece
        if len(text) > MAX_SHOWN:
            break
    return text


def shown_text(text: str) -> str:
    """The text without quotes: what cannot be printed is written as JSON escapes it."""
    text = printable(text)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + _CUT


def printable(text: str) -> str:
    """The whole text, on one line: what cannot be printed, or commands a terminal, is written as JSON escapes it."""
    return text if text.isprintable() else _NOT_ASCII.sub(_escaped, text)


def _escaped(character: re.Match[str]) -> str:
    return character[0] if character[0].isprintable() else json.dumps(character[0])[1:-1]
